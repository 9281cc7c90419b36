export type Argv = readonly [string, ...string[]];
/** By variable, or by setting. */
export type BaseUrls = Readonly<Record<string, string>>;

/** An agent as a person starts it. */
export interface StartedAgent {
  readonly argv: Argv;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A recording answers it: no gateway is asked. */
  readonly isReplayed: boolean;
}

/** What an agent's own configuration says of its way to the model, and how it takes the launch's in spite of it. */
export interface OwnRoute {
  /** Base URLs that come in place of its environment's: all of those that it would go by. */
  readonly baseUrls: BaseUrls;
  /** Base URLs that only its configuration names, by setting. */
  readonly settings: BaseUrls;
  /** The variable that its configuration takes the key from. */
  readonly keyVariable: string | null;
  /** Variables that its configuration adds: they may hold secrets, or name a proxy. */
  readonly variables?: Readonly<Record<string, string>>;
  /** What it asks where nothing is recorded, as a sentence: said before the start, and no replay is started. */
  readonly unrecorded?: string | null;
  /** How it takes the launch's way. @throws CoachError `input.invalid` where nothing leads it */
  command(given: LaunchWay): Promise<LedCommand> | LedCommand;
}

export interface LaunchWay {
  /** What the launch gives, null for what it removes. */
  readonly env: Readonly<Record<string, string | null>>;
  /** The launch's URLs, by setting: those alone that it must go by instead of its own. */
  readonly settings: BaseUrls;
  /** Writes a file that only this user reads, and that is gone after the agent's end. Answers its path. */
  file(name: string, text: string): string;
}

export interface LedCommand {
  readonly argv: Argv;
  /** Variables beside those of the launch. */
  readonly env: Readonly<Record<string, string>>;
}

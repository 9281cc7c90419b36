import type { Dialect } from '../../protocol/sessions.ts';
import type { Usage } from '../../protocol/usage.ts';

/** An agent is data plus pure functions; installing and running it is the work of others. */
export interface Agent {
  readonly id: string;
  readonly title: string;
  readonly dialect: Dialect | null;
  /** Hosts of its model APIs: intercepted, everything else passes blind. */
  readonly apiHosts: readonly string[];
  /** Installed once per version into the agent cache, from npm; null for agents that need no program. */
  readonly package: AgentPackage | null;
  /** What the runner does with it: run a program, apply the reference or a patch from a file, or nothing at all. */
  readonly kind: 'program' | 'oracle' | 'patch' | 'nop';
  readonly defaultModel: string | null;
  /** Environment variable that holds the user's key of this agent's API. */
  readonly keyName: string | null;
  /**
   * Where it goes by its model, for an agent of several providers; by default to the first of `apiHosts` with `keyName`.
   * @throws CoachError `input.invalid` for a provider that it can't be led to
   */
  route?(model: string): ModelRoute;
  launch(context: LaunchContext): AgentLaunch;
  /** What one line of its standard output tells people; nothing for most lines. */
  parseLine(line: string): readonly AgentEvent[];
  /**
   * Whether a proxy's address in its environment leads its requests for 127.0.0.1 there as well, whatever NO_PROXY says.
   * Others are given one, so that what they and their commands ask of the network is refused at once, and told.
   */
  readonly ignoresNoProxy?: boolean;
  /** What its exit codes mean, where they mean something besides success and failure. */
  readonly exitCodes?: Readonly<Record<number, string>>;
}

/** Where an agent's requests go, and the variable that holds the user's key of that API. */
export interface ModelRoute {
  readonly host: string;
  readonly keyName: string | null;
}

/** @throws CoachError `input.invalid` when the agent has no way to this model */
export function routeOf({ route, apiHosts, keyName, defaultModel }: Agent, model: string | null): ModelRoute {
  const wanted = model ?? defaultModel;
  if (route !== undefined && wanted !== null) return route(wanted);
  return { host: apiHosts[0] ?? 'api.openai.com', keyName };
}

export interface AgentPackage {
  readonly name: string;
  readonly version: string;
  /** The platform's package and the program's directory in it; null where the vendor has none. */
  platform(os: NodeJS.Platform, arch: string): PlatformPackage | null;
}

export interface PlatformPackage {
  readonly spec: string;
  /** The platform's own package, where it is not a version of the one above. */
  readonly name?: string;
  /** Directory in the package that is kept. */
  readonly directory: string;
  /** In that directory; a script (`.js`) runs on the Node of the sandbox. */
  readonly program: string;
}

export interface LaunchContext {
  /** Words that start its program inside the sandbox: the program, or Node and a script. For an agent without one it is ''. */
  readonly program: readonly [string, ...string[]];
  readonly workdir: string;
  readonly home: string;
  readonly instruction: string;
  readonly model: string | null;
  /** Where model requests go: `http://127.0.0.1:<port>/v1`. */
  readonly baseUrl: string;
  /** Stands where the key would; the proxy puts the real one on the way out. */
  readonly token: string;
  readonly command: readonly string[] | null;
}

export interface AgentLaunch {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Files to write under HOME before the start, path → content. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface AgentEvent {
  readonly kind: 'message' | 'reasoning' | 'command' | 'edit' | 'tool' | 'error' | 'usage';
  readonly text: string;
  readonly usage?: Usage;
}

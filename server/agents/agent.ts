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
  launch(context: LaunchContext): AgentLaunch;
  /** One line of its standard output as an event for people; null for what says nothing. */
  parseLine(line: string): AgentEvent | null;
}

export interface AgentPackage {
  readonly name: string;
  readonly version: string;
  /** The platform's package and the program's directory in it; null where the vendor has none. */
  platform(
    os: NodeJS.Platform,
    arch: string,
  ): { readonly spec: string; readonly directory: string; readonly program: string } | null;
}

export interface LaunchContext {
  /** Program as seen from inside the sandbox. */
  readonly program: string;
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

import type { ExecutorInfo } from '../../protocol/agents.ts';
import type { OutputListener } from '../base/exec.ts';
import type { Log } from '../base/log.ts';

/** A place to run untrusted work. Every executor passes the contract suite in test/integration/executorsContract.ts. */
export interface Executor {
  readonly id: string;
  readonly title: string;
  /** What a sandbox of this executor does not isolate, one sentence each. */
  readonly notIsolated: readonly string[];
  /** Asks the real thing (the engine, the sandbox program) whether it can work now. Never throws. */
  probe(signal?: AbortSignal): Promise<ExecutorInfo>;
  /** Builds or finds what sandboxes of this environment start from. Idempotent, cached. */
  prepare(environment: EnvironmentSpec, log: Log, signal: AbortSignal): Promise<PreparedEnvironment>;
  /** Ends and removes every sandbox that a dead owner left behind; only what carries our labels. */
  sweep(log: Log): Promise<number>;
}

export interface EnvironmentSpec {
  /** Names the environment in image tags and labels. */
  readonly taskName: string;
  /** Build context with its Dockerfile and `repo.bundle`. */
  readonly directory: string;
  readonly bundle: string;
  readonly baseImage: string;
  readonly workdir: string;
}

export interface PreparedEnvironment {
  /** A fresh sandbox with the repository at its start commit in `workdir`. */
  start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
}

export interface SandboxSpec {
  /** Unique; part of container names and labels. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The one way out, or null for none: inside, `http://127.0.0.1:<port>` reaches this Unix socket of the host, which
   * user 1000 must be allowed to connect to. Nothing else of the network is there.
   */
  readonly endpoint: { readonly socket: string; readonly port: number } | null;
  /** Host directories and where they stand read-only inside. */
  readonly mounts: readonly { readonly host: string; readonly inside: string }[];
  readonly limits: { readonly memoryBytes: number; readonly cpus: number; readonly pids: number };
}

export interface Sandbox {
  readonly id: string;
  /** HOME of the commands, absolute, writable, empty at start. */
  readonly home: string;
  /**
   * Runs a command to its end. An aborted signal kills everything inside within a second and rejects with its reason;
   * from then on the sandbox only serves `copyOut` and `remove`.
   */
  exec(command: SandboxCommand, signal: AbortSignal): Promise<SandboxOutcome>;
  /**
   * Writes the files of a host directory below `inside`, which is made and must lie in the repository, /logs or
   * /tests. Links are refused.
   */
  copyIn(hostDirectory: string, inside: string, signal: AbortSignal): Promise<void>;
  /**
   * Copies a directory out into an empty host directory: size-bounded, every `.git` dropped, links kept as links
   * but never followed, nothing outside the target written.
   */
  copyOut(inside: string, hostDirectory: string, signal: AbortSignal): Promise<void>;
  /** Kills everything inside and removes it. Idempotent; resolves when it is gone. */
  remove(): Promise<void>;
}

export interface SandboxCommand {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Whole environment besides HOME, LANG and PATH. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly onStdout?: OutputListener;
  readonly onStderr?: OutputListener;
  /** Output kept per stream; the rest only passes through the callbacks. Default 16 MiB. */
  readonly maxBytes?: number;
}

export interface SandboxOutcome {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

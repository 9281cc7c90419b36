import type { ExecutorInfo } from '../../protocol/agents.ts';
import type { PinnedImage } from '../../protocol/tasks.ts';
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
  /** True where /tmp of a sandbox ends with the command that wrote to it. */
  readonly tmpEndsWithCommand?: boolean;
  /** Directories of this machine, besides those that it was given, on whose disks sandboxes lie. Never throws. */
  diskPlaces?(): Promise<readonly string[]>;
  /** Builds or finds what sandboxes of this environment start from. Idempotent, cached. */
  prepare(environment: EnvironmentSpec, log: Log, signal: AbortSignal): Promise<PreparedEnvironment>;
  /**
   * The sandbox of this name that an earlier server left running, with everything in it; null when it is gone or has
   * stopped. Absent where sandboxes die with their server.
   */
  adopt?(environment: EnvironmentSpec, name: string, signal: AbortSignal): Promise<Sandbox | null>;
  /**
   * Ends and removes every sandbox that a dead owner left behind; only what carries our labels, and not what a living
   * server has claimed since.
   */
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
  /** The base image that the task was proven on: no other will do. Absent or null while it is not proven. */
  readonly pin?: PinnedImage | null;
}

export interface PreparedEnvironment {
  /** The base image that it was built on; null where sandboxes are made of no image. */
  readonly base: PinnedImage | null;
  /** A fresh sandbox with the repository at its start commit in `workdir`. */
  start(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox>;
  /** Removes what was built for this environment alone; absent where nothing was. Its sandboxes are gone by then. */
  discard?(): Promise<void>;
  /** Where verifiers of the task run that have environments of their own, by the directories of those. */
  readonly verifiers?: ReadonlyMap<string, PreparedEnvironment>;
}

export interface SandboxSpec {
  /** Unique; part of container names and labels. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * The one way out, or null for none: inside, `http://127.0.0.1:<port>` reaches this Unix socket of the host, which
   * user 1000 must be allowed to connect to. Nothing else of the network is there. The socket lies alone in a directory
   * that user 1000 may enter: a later server may put another one in its place.
   */
  readonly endpoint: { readonly socket: string; readonly port: number } | null;
  /** Scratch directory (base/owner.ts) that tells who owns the sandbox now; by default its maker does for ever. */
  readonly claim?: string;
  /** Host directories and where they stand read-only inside. */
  readonly mounts: readonly { readonly host: string; readonly inside: string }[];
  readonly limits: {
    readonly memoryBytes: number;
    readonly cpus: number;
    readonly pids: number;
    /** What repository and shared places may take together; what passes it ends its command with `sandbox.diskSpent`. */
    readonly diskBytes: number;
  };
  /**
   * The one command that the sandbox is for, where that is known before. Files are copied in while nothing runs, `exec` is
   * called once, with this very command, and once that has ended nothing runs any more. Cheaper than a start and an `exec`.
   */
  readonly only?: Pick<SandboxCommand, 'argv' | 'cwd' | 'env'>;
}

export interface Sandbox {
  readonly id: string;
  /** HOME of the commands, absolute, writable, empty at start. */
  readonly home: string;
  /**
   * Runs a command to its end. An aborted signal kills everything inside within a second and rejects with its reason;
   * from then on the sandbox only serves `copyOut`, `readFile` and `remove`.
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
  /**
   * The first `maxBytes` of a plain file in one of the places that can be copied out; null when there is none. A link is
   * none.
   */
  readFile(inside: string, maxBytes: number, signal: AbortSignal): Promise<Buffer | null>;
  /** Kills everything inside; from then on it only serves `copyOut`, `readFile` and `remove`. Resolves when nothing runs any more. */
  stop(): Promise<void>;
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
  /** Called when it is running. */
  onStarted?(): void;
  /**
   * The command may outlive this server: a later one goes on with it by the same call on the adopted sandbox. One such
   * command per sandbox. Where sandboxes die with their server it is a command like any other.
   */
  readonly lasting?: LastingCommand;
}

export interface LastingCommand {
  /** True when it is known to have started: then it is followed and never started. */
  readonly hasStarted: boolean;
  /** What of its outputs is known already, in bytes. */
  readonly stdoutFrom: number;
  readonly stderrFrom: number;
  /** Called once it runs. */
  onStarted(): void;
}

export interface SandboxOutcome {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

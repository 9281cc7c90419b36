import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { Budget, UpstreamOverride } from '../../../protocol/proxy.ts';
import { isAlive } from '../../base/exec.ts';
import { writeFileAtomic } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';
import type { LaunchSpec } from '../proxy.ts';

/** Launches kept at most, and how long one is kept after its last use. */
const maxLaunches = 200;
const keepMs = 14 * 86_400_000;
/** How long after a launch's last use a server that starts for something else listens for it. */
const awaitMs = 86_400_000;
/** How exactly the last use is known: a launch at work is not written down each time. */
const noteMs = 3_600_000;

/** A person's launch as it outlives the server: its token's digest, never the token, and no key. */
const KeptLaunch = z.object({
  id: z.string(),
  /** SHA-256 of the token, hex. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  agent: z.string().nullable(),
  label: z.string().nullable(),
  overrides: z.array(UpstreamOverride),
  replay: z.boolean(),
  defaultHost: z.string(),
  budget: Budget.nullable(),
  pid: z.int().positive().nullable().default(null),
  directory: z.string().nullable().default(null),
  /** Epoch ms. */
  usedAt: z.number(),
});
export type KeptLaunch = z.infer<typeof KeptLaunch>;

/** A launch of this server as it is kept. */
interface UsedLaunch {
  readonly id: string;
  readonly digest: string;
  readonly spec: LaunchSpec;
}

const KeptProxy = z.object({
  format: z.literal(1),
  /** Port that agents were told. */
  port: z.int().nullable(),
  /** False once the server has ended in order. */
  listening: z.boolean(),
  launches: z.array(KeptLaunch),
});
type KeptProxy = z.infer<typeof KeptProxy>;

const nothing: KeptProxy = { format: 1, port: null, listening: false, launches: [] };

/**
 * What the next server must know so that agents whose server was killed go on: the port and the launches, in a file of
 * mode 0600 that is written whole or not at all. A file that cannot be read or written costs that and nothing else.
 */
export class LaunchStore {
  readonly #file: string;
  readonly #log: Log;
  #kept: KeptProxy;
  #writing: Promise<void> = Promise.resolve();
  /** When each launch was last written down as used, also of those that were dropped. */
  readonly #noted = new Map<string, number>();

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#kept = this.#read();
    for (const { id, usedAt } of this.#kept.launches) this.#noted.set(id, usedAt);
  }

  get launches(): readonly KeptLaunch[] {
    return this.#kept.launches;
  }

  /** The port to be back on: agents may still send there. Null when none can. */
  get awaitedPort(): number | null {
    const { listening, launches, port } = this.#kept;
    return listening || launches.some(({ usedAt }) => usedAt > Date.now() - awaitMs) ? port : null;
  }

  listening(port: number): Promise<void> {
    return this.#write({ ...this.#kept, port, listening: true });
  }

  /**
   * The server ends in order. Its launches stay, since an agent that is only waiting goes on with the next server; but not
   * those whose process is gone, unless they are in `atWork`.
   */
  ended(atWork: ReadonlySet<string> = new Set()): Promise<void> {
    const { listening, launches } = this.#kept;
    const living = launches.filter(({ id, pid }) => pid === null || atWork.has(id) || isAlive(pid));
    if (!listening && living.length === launches.length) return this.#writing;
    return this.#write({ ...this.#kept, listening: false, launches: living });
  }

  /** A launch that outlives the server is at work: also one that was no longer kept is so again. */
  use(launch: UsedLaunch): Promise<void> {
    if (!launch.spec.kept) return Promise.resolve();
    const noted = this.#noted.get(launch.id);
    return noted !== undefined && Date.now() - noted < noteMs ? this.#writing : this.keep(toKept(launch));
  }

  /** Resolves once a kill can no longer take the launch away. */
  keep(launch: KeptLaunch): Promise<void> {
    this.#noted.set(launch.id, launch.usedAt);
    const others = this.#kept.launches.filter(({ id }) => id !== launch.id);
    return this.#write({ ...this.#kept, launches: current([launch, ...others]) });
  }

  forget(id: string): Promise<void> {
    this.#noted.delete(id);
    if (!this.#kept.launches.some(launch => launch.id === id)) return this.#writing;
    return this.#write({ ...this.#kept, launches: this.#kept.launches.filter(launch => launch.id !== id) });
  }

  #read(): KeptProxy {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch {
      return nothing;
    }
    try {
      const kept = KeptProxy.parse(JSON.parse(text));
      return { ...kept, launches: current(kept.launches) };
    } catch (error) {
      this.#log.warn('The kept launches cannot be read; agents of an earlier server must be started again.', { error });
      return nothing;
    }
  }

  #write(next: KeptProxy): Promise<void> {
    this.#kept = next;
    this.#writing = this.#writing.then(() =>
      writeFileAtomic(this.#file, `${JSON.stringify(next, null, 2)}\n`, 0o600).catch((error: unknown) =>
        this.#log.warn('Launches cannot be kept: agents would not survive the end of this server.', { error }),
      ),
    );
    return this.#writing;
  }
}

function toKept({ id, digest, spec }: UsedLaunch): KeptLaunch {
  const { agent, label, overrides, replay, defaultHost, budget = null, pid = null, directory = null } = spec;
  const kept = { agent, label, overrides: [...overrides], replay, defaultHost, budget, pid, directory };
  return { id, digest, ...kept, usedAt: Date.now() };
}

export function toSpec({ id: _id, digest: _digest, usedAt: _usedAt, ...spec }: KeptLaunch): LaunchSpec {
  return { ...spec, realKey: null, trialId: null, kept: true };
}

/** The last used ones, newest first. */
function current(launches: readonly KeptLaunch[]): KeptLaunch[] {
  const oldest = Date.now() - keepMs;
  return launches
    .filter(({ usedAt }) => usedAt >= oldest)
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(0, maxLaunches);
}

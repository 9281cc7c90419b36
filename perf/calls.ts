import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Handlers = Readonly<Record<string, (argument: never) => unknown>>;
type Argument<H> = H extends (argument: infer A) => unknown ? A : never;
type Result<H> = H extends (argument: never) => infer R ? Awaited<R> : never;

/** A process of the benchmark, and what it can be asked to do. */
export interface Remote<H extends Handlers> {
  readonly pid: number;
  call<K extends keyof H & string>(name: K, argument: Argument<H[K]>): Promise<Result<H[K]>>;
  stop(): Promise<void>;
}

/** Starts `program` and waits until it serves calls. `quiet`: a peer that logs every aborted request. @throws when it ends before */
export async function startProcess<H extends Handlers>(
  program: string,
  args: readonly string[],
  { env = process.env, quiet = false }: { env?: NodeJS.ProcessEnv; quiet?: boolean } = {},
): Promise<Remote<H>> {
  const child = fork(program, args, {
    env,
    stdio: ['ignore', 'ignore', quiet ? 'ignore' : 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  child.on('message', ({ id, result, error }: { id: number; result?: never; error?: string }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result as never);
    else call?.reject(new Error(error));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error(`${program} ended.`));
  });
  const call = (name: string, argument: unknown) =>
    new Promise<never>((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      child.send({ id: last, name, argument });
    });
  await call('ready', undefined);
  return { pid: child.pid ?? 0, call, stop: () => end(child) } as Remote<H>;
}

/** The other side of `startProcess`. */
export function serveCalls(handlers: Handlers): void {
  const all: Handlers = { ready: () => true, ...handlers };
  process.on('message', async ({ id, name, argument }: { id: number; name: string; argument: never }) => {
    try {
      process.send?.({ id, result: await all[name]?.(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Works through a list with at most `concurrency` at a time, in its order. The first failure is thrown at the end. */
export async function runEach<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Lets at most so many works go on at a time; the others wait in their order. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /** @throws the signal's reason when it is aborted before there is a place */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** The same for work that needs its place only until it says that it has begun. */
  async passBegin<T>(work: (onBegun: () => void) => Promise<T>, signal: AbortSignal): Promise<T> {
    const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
    const { result } = await this.pass(async () => {
      const running = work(onBegun);
      await Promise.race([begun, running.catch(() => undefined)]);
      return { result: running };
    }, signal);
    return result;
  }
}

/**
 * Makes a work that is done one time after the other: what is asked for while it is at it is done once more after that, for
 * all who asked. So nothing that began earlier ends later, and how things were is not taken for how they are.
 */
export function inTurn(work: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  let waiting: Promise<void> | undefined;
  return () => {
    waiting ??= last
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return work();
      });
    last = waiting;
    return waiting;
  };
}

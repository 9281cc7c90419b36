import { expect, it } from 'vitest';
import { inTurn } from '../../../protocol/inTurn.ts';

/** A work whose times end when the test says so. */
function aWork() {
  const begun: { end(): void; fail(error: Error): void }[] = [];
  const work = inTurn(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    begun.push({ end: resolve, fail: reject });
    return promise;
  });
  return { work, begun };
}

const settled = () => new Promise(resolve => setImmediate(resolve));

it('begins once more after it ended, for all who asked while it was at it', async () => {
  const { work, begun } = aWork();
  const first = work();
  await settled();
  const later = [work(), work(), work()];
  await settled();
  expect(begun).toHaveLength(1);
  begun[0]?.end();
  await first;
  await settled();
  expect(begun).toHaveLength(2);
  begun[1]?.end();
  await Promise.all(later);
  await settled();
  expect(begun).toHaveLength(2);
});

it('goes on after a failure, which is told to those who asked for that time', async () => {
  const { work, begun } = aWork();
  const first = work();
  await settled();
  const second = work();
  begun[0]?.fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await settled();
  begun[1]?.end();
  await expect(second).resolves.toBeUndefined();
});

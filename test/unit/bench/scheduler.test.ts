import { describe, expect, it } from 'vitest';
import { delay } from '../../../server/base/clock.ts';
import { DiskGuard, diskShortage } from '../../../server/bench/runs/diskSpace.ts';
import { Gate } from '../../../server/bench/scheduler.ts';

describe('a gate', () => {
  it('lets so many through at a time, in their order, and goes on after a failure', async () => {
    const gate = new Gate(2);
    const signal = new AbortController().signal;
    const order: number[] = [];
    let inside = 0;
    let most = 0;
    const works = [1, 2, 3, 4, 5].map(number =>
      gate.pass(async () => {
        order.push(number);
        most = Math.max(most, ++inside);
        await new Promise(resolve => setTimeout(resolve, 5));
        inside--;
        if (number === 2) throw new Error('two');
      }, signal),
    );
    const ends = await Promise.allSettled(works);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('keeps the place of work only until that has begun', async () => {
    const gate = new Gate(1);
    const signal = new AbortController().signal;
    const order: string[] = [];
    const end = Promise.withResolvers<void>();
    const first = gate.passBegin(async onBegun => {
      await delay(5);
      order.push('first began');
      onBegun();
      await end.promise;
      return 'first ended';
    }, signal);
    await gate.pass(async () => order.push('second'), signal);
    end.resolve();
    expect([...order, await first]).toEqual(['first began', 'second', 'first ended']);
    await expect(gate.passBegin(() => Promise.reject(new Error('never began')), signal)).rejects.toThrow('never began');
    expect(await gate.pass(async () => 'free again', signal)).toBe('free again');
  });

  it('keeps its place free when one that waits is cancelled', async () => {
    const gate = new Gate(1);
    const stop = new AbortController();
    let open: () => void = () => undefined;
    const first = gate.pass(() => new Promise<void>(resolve => (open = resolve)), new AbortController().signal);
    const second = gate.pass(async () => 'never', stop.signal);
    stop.abort(new Error('cancelled'));
    open();
    await first;
    await expect(second).rejects.toThrow('cancelled');
    expect(await gate.pass(async () => 'third', new AbortController().signal)).toBe('third');
  });
});

describe('the space on the disk', () => {
  const disk = (freeGiB: number, sizeGiB: number) => () =>
    Promise.resolve({ bavail: freeGiB * 2 ** 18, blocks: sizeGiB * 2 ** 18, bsize: 4096 });

  it.each([
    [0.4, 10, true],
    [0.6, 10, false],
    [4, 1000, true],
    [6, 1000, false],
  ])('%d of %d GiB free: too little is %s', async (free, size, isShort) => {
    const shortage = await diskShortage(['/somewhere'], disk(free, size));
    expect(shortage === null).toBe(!isShort);
    if (isShort) expect(shortage).toContain('/somewhere');
  });

  it('is looked at while trials run: they are ended when hardly any is left, and told why', async () => {
    let free = 2;
    const guard = new DiskGuard(['/somewhere'], () => disk(free, 1000)(), 1);
    await delay(20);
    expect(guard.signal.aborted).toBe(false);
    free = 0.9;
    await expect.poll(() => guard.signal.aborted).toBe(true);
    expect(guard.signal.reason).toMatchObject({ code: 'disk.full', hint: expect.stringContaining('runs resume') });
    guard.dispose();
  });

  it('does not stop what it can not measure', async () => {
    expect(await diskShortage(['/no/such/place'])).toBeNull();
  });
});

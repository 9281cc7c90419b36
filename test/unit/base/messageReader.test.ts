import { PassThrough } from 'node:stream';
import { expect, it, onTestFinished, vi } from 'vitest';
import { messageReader } from '../../../server/base/messageReader.ts';

it('leaves no timer behind when a peer dies in the middle of a message', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const stream = new PassThrough();
  messageReader(stream).listen(() => undefined);
  stream.write('Content-Length: 100\r\n\r\n{"half":');
  await vi.advanceTimersByTimeAsync(0);
  stream.destroy();
  expect(vi.getTimerCount()).toBe(0);
});

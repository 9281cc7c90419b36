import { Duplex } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { answerError, readFirstRequest } from '../../../../server/proxy/connections/frontDoor.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A connection on which a request was refused of which the body is still coming. */
async function refused() {
  let text = '';
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString('latin1');
      done();
    },
  });
  socket.push('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nthe');
  await readFirstRequest(socket);
  answerError(socket, 403, 'No.');
  socket.push(' body');
  return { socket, answer: () => text };
}

it('closes a connection that was refused, when its sender does', async () => {
  const { socket, answer } = await refused();
  const closed = new Promise(resolve => socket.once('close', resolve));
  socket.push(null);
  await closed;
  expect(answer()).toMatch(/^HTTP\/1\.1 403 /);
});

it('closes it also when its sender does not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { socket } = await refused();
  await new Promise(resolve => setImmediate(resolve));
  vi.advanceTimersByTime(4900);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(200);
  expect(socket.destroyed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

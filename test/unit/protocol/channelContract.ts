import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { api, event, publish, remote, request, serve } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';

const sample = api('sample', {
  greet: request({
    summary: 'Greets.',
    params: z.object({ name: z.string().min(1), times: z.int().default(1) }),
    result: z.object({ text: z.string() }),
    expose: ['webview'],
  }),
  wait: request({ summary: 'Waits until cancelled.', params: z.object({}), result: z.object({}) }),
  fail: request({ summary: 'Fails.', params: z.object({ how: z.enum(['coach', 'plain']) }), result: z.object({}) }),
  lie: request({ summary: 'Answers in the wrong shape.', params: z.object({}), result: z.object({ count: z.int() }) }),
  ticked: event(z.object({ count: z.int() })),
});

/** Every channel passes these. `connect` answers the serving and the calling end. */
export function channelContract(
  name: string,
  connect: () => Promise<{ near: Channel; far: Channel; close(): void }>,
): void {
  describe(`${name} channel`, () => {
    async function connected() {
      const { near, far, close } = await connect();
      const cancelled = Promise.withResolvers<void>();
      const served = serve(
        sample,
        {
          greet: ({ name: who, times }) => ({ text: Array(times).fill(`Hello ${who}`).join(', ') }),
          wait: (_params, signal) =>
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => {
                cancelled.resolve();
                reject(new CoachError('cancelled', 'Cancelled.'));
              });
            }),
          fail: ({ how }) => {
            if (how === 'coach') throw new CoachError('git.noCommit', 'No commit yet.', { hint: 'Commit something.' });
            throw new Error('plain fault');
          },
          lie: () => ({ count: 'many' }) as never,
        },
        near,
      );
      return { near, far, served, close, cancelled: cancelled.promise, calls: remote(sample, far) };
    }

    it('answers a typed call, with defaults filled in', async () => {
      const { calls, close } = await connected();
      expect(await calls.greet({ name: 'Ada' })).toEqual({ text: 'Hello Ada' });
      expect(await calls.greet({ name: 'Ada', times: 2 })).toEqual({ text: 'Hello Ada, Hello Ada' });
      close();
    });

    it('refuses bad parameters with -32602 and a readable text', async () => {
      const { far, calls, close } = await connected();
      await expect(far.request('coach/sample/greet', { times: 'x' })).rejects.toMatchObject({ code: -32602 });
      await expect(calls.greet({ name: '' })).rejects.toMatchObject({
        code: 'input.invalid',
        message: expect.stringContaining('name'),
      });
      close();
    });

    it('carries a named fault with its hint, and an unforeseen one as internal', async () => {
      const { calls, close } = await connected();
      await expect(calls.fail({ how: 'coach' })).rejects.toMatchObject({
        code: 'git.noCommit',
        hint: 'Commit something.',
      });
      await expect(calls.fail({ how: 'plain' })).rejects.toMatchObject({ code: 'internal', message: 'plain fault' });
      close();
    });

    it('parses answers on the calling side', async () => {
      const { calls, close } = await connected();
      await expect(calls.lie({})).rejects.toMatchObject({
        code: 'internal',
        message: expect.stringContaining('count'),
      });
      close();
    });

    it('cancels the handler when the caller aborts', async () => {
      const { calls, cancelled, close } = await connected();
      const controller = new AbortController();
      const call = calls.wait({}, controller.signal);
      setTimeout(() => controller.abort(), 20);
      await expect(call).rejects.toMatchObject({ code: 'cancelled' });
      await cancelled;
      close();
    });

    it('delivers events, and none after the listener is gone', async () => {
      const { near, calls, close } = await connected();
      const seen: number[] = [];
      const first = Promise.withResolvers<void>();
      const listener = calls.on('ticked', ({ count }) => {
        seen.push(count);
        first.resolve();
      });
      publish(sample, near, 'ticked', { count: 1 });
      await first.promise;
      listener.dispose();
      publish(sample, near, 'ticked', { count: 2 });
      await calls.greet({ name: 'after the event' });
      expect(seen).toEqual([1]);
      close();
    });

    it('serves nothing after it was disposed', async () => {
      const { calls, served, close } = await connected();
      served.dispose();
      await expect(calls.greet({ name: 'Ada' })).rejects.toThrow();
      close();
    });

    it('serves only what a door may see', async () => {
      const { near, far, close } = await connect();
      const handlers = {
        greet: () => ({ text: 'seen' }),
        wait: () => ({}),
        fail: () => ({}),
        lie: () => ({ count: 1 }),
      };
      serve(sample, handlers, near, 'webview');
      expect(await remote(sample, far).greet({ name: 'Ada' })).toEqual({ text: 'seen' });
      await expect(remote(sample, far).lie({})).rejects.toThrow();
      close();
    });
  });
}

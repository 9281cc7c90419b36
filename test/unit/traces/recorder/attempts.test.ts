import { describe, expect, it } from 'vitest';
import { noUsage } from '../../../../protocol/usage.ts';
import { Attempts } from '../../../../server/traces/recorder/attempts.ts';
import { anOrigin, aRecorder, aReply, said, sse } from '../recordedTraffic.ts';

const turn = (turnId: string) => ({
  'x-codex-turn-metadata': JSON.stringify({ thread_id: 'thread', turn_id: turnId }),
});
const request = { model: 'gpt-5.5', input: [said('user', 'hi')] };
const cutOff = sse({ type: 'response.created', response: { id: 'resp_cut', status: 'in_progress' } });

describe('tries of one turn', () => {
  it('are counted until one succeeds', () => {
    const { record, store } = aRecorder();
    record({ request, response: '{"error":{"message":"busy"}}', status: 500, headers: turn('one') }, 1000);
    record({ request, response: cutOff, headers: turn('one') }, 2000);
    record({ request, response: aReply([]), headers: turn('one') }, 3000);
    record({ request, response: aReply([]), headers: turn('one') }, 4000);
    record({ request, response: '{"error":{"message":"busy"}}', status: 500, headers: turn('two') }, 5000);
    record({ request, response: aReply([]), headers: turn('three') }, 6000);
    expect(store.exchangesOfSession('thread').map(exchange => exchange.attempt)).toEqual([1, 2, 3, 1, 1, 1]);
  });

  it('are taken from the count of the agent’s own library where it keeps one', () => {
    const { record, store } = aRecorder();
    const headers = { 'x-stainless-retry-count': '2', 'user-agent': 'x' };
    const session = record({ request, response: aReply([]), headers }, 1000, anOrigin());
    expect(store.exchangesOfSession(session).map(exchange => exchange.attempt)).toEqual([3]);
  });

  it('of an agent that names no turn are of the same request, not of what a person asks instead', () => {
    const { record, store } = aRecorder();
    const ask = (content: string, retries: string, status: number) =>
      record({
        request: { model: 'm', messages: [{ role: 'user', content }] },
        response: status === 200 ? aReply([]) : '{"error":{"message":"busy"}}',
        headers: { 'x-claude-code-session-id': 'thread', 'x-stainless-retry-count': retries },
        status,
      });
    ask('Make it green', '0', 529);
    ask('Make it green', '0', 529);
    ask('Make it red instead', '0', 529);
    ask('Make it red instead', '1', 529);
    ask('Leave it', '0', 529);
    ask('Drop it!', '0', 529);
    ask('Drop it!', '0', 200);
    expect(store.exchangesOfSession('thread').map(exchange => exchange.attempt)).toEqual([1, 2, 1, 2, 1, 1, 2]);
  });

  it('that get the same reply again have used its tokens once', () => {
    const { record, store } = aRecorder();
    const usage = { input_tokens: 10, output_tokens: 5 };
    const ended = (type: string, more: object) =>
      sse({ type, response: { id: 'resp_same', output: [], usage, ...more } });
    const lost = ended('response.incomplete', { incomplete_details: { reason: 'connection' } });
    record({ request, response: lost, headers: turn('one') }, 1000);
    record({ request, response: ended('response.completed', {}), headers: turn('one') }, 2000);
    expect(store.session('thread')).toMatchObject({ exchanges: 2, usage: { inputTokens: 10, outputTokens: 5 } });
  });

  it('count the tokens of the first reply that tells them, and not again after one that was cut', () => {
    const { record, store } = aRecorder();
    const usage = { input_tokens: 10, output_tokens: 5 };
    const begun = sse({ type: 'response.created', response: { id: 'resp_same', status: 'in_progress' } });
    const why = { incomplete_details: { reason: 'connection' } };
    const lost = sse({ type: 'response.incomplete', response: { id: 'resp_same', output: [], usage, ...why } });
    const whole = sse({ type: 'response.completed', response: { id: 'resp_same', output: [], usage } });
    record({ request, response: begun, headers: turn('one') }, 1000);
    record({ request, response: lost, headers: turn('one') }, 2000);
    record({ request, response: begun, headers: turn('one') }, 3000);
    record({ request, response: whole, headers: turn('one') }, 4000);
    expect(store.exchangesOfSession('thread').map(exchange => exchange.usage.inputTokens)).toEqual([
      null,
      10,
      // Told, as it is not where an API is silent.
      0,
      0,
    ]);
  });

  it('are of one session only', () => {
    const attempts = new Attempts();
    const failed = {
      turnId: 't',
      retryCount: null,
      sizeBytes: 1,
      body: null,
      failed: true,
      replyId: null,
      usage: noUsage,
    };
    expect(attempts.next({}, 'a', failed).attempt).toBe(1);
    expect(attempts.next({}, 'b', failed).attempt).toBe(1);
    expect(attempts.next({}, 'a', failed).attempt).toBe(2);
  });

  it('count once, however often one of them has to be written', () => {
    const attempts = new Attempts();
    const usage = { ...noUsage, inputTokens: 10, outputTokens: 5 };
    const failed = { turnId: 't', retryCount: null, sizeBytes: 1, body: null, failed: true, replyId: 'resp_1', usage };
    const one = {};
    expect([1, 2, 3].map(() => attempts.next(one, 'a', failed))).toEqual(
      [1, 2, 3].map(() => ({ attempt: 1, repeats: false })),
    );
    expect(attempts.next({}, 'a', failed)).toEqual({ attempt: 2, repeats: true });
  });
});

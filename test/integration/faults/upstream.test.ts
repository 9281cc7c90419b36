import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BreakOff, SeenRequest } from '../../fakes/upstream.ts';
import { requireFeature } from '../../require.ts';
import { aCodexWorld, type CodexWorld, startTurn, storedExchanges, sumOfUsage } from './tracedCodex.ts';

/** Breaks the reply to the second call of the model off, once. */
function onceInTheMiddle(how: BreakOff) {
  let calls = 0;
  return ({ body }: SeenRequest) => (body?.['generate'] !== false && ++calls === 2 ? how : null);
}

/** A provider of the user's own, whose silence Codex bears for only two seconds: the built-in one's limit is 5 minutes. */
const impatient = [
  ...['-c', 'model_provider="own"'],
  '-c',
  `model_providers.own=${[
    '{name="own"',
    'base_url="https://api.openai.com/v1"',
    'env_key="CODEX_API_KEY"',
    'stream_idle_timeout_ms=2000}',
  ].join(',')}`,
];

/** Expects that Codex has finished, and that its second request and the try after it are known as one. */
async function expectJoined(world: CodexWorld, args: readonly string[] = []): Promise<void> {
  const turn = startTurn(world, 'SHELL echo one > one.txt\nADD two.txt two\nSAY All done.', { args });
  const outcome = await turn.done;
  expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
  expect(readFileSync(join(turn.directory, 'one.txt'), 'utf8')).toBe('one\n');
  expect(readFileSync(join(turn.directory, 'two.txt'), 'utf8')).toBe('two\n');
  const stored = storedExchanges(world);
  expect(new Set(stored.map(({ session }) => session))).toEqual(new Set([outcome.threadId]));
  const broken = stored.filter(({ error }) => error !== null);
  expect(broken).toMatchObject([{ attempt: 1, inputTokens: null }]);
  const again = stored[stored.findIndex(({ error }) => error !== null) + 1];
  expect(again).toMatchObject({ turn: broken[0]?.turn, attempt: 2, error: null });
  expect(stored.filter(({ attempt }) => attempt > 1)).toHaveLength(1);
  expect(outcome.usage).toMatchObject(sumOfUsage(stored));
}

describe.skipIf(!requireFeature('codex'))(
  'an upstream that dies in the middle of a reply',
  { timeout: 120_000 },
  () => {
    it.each(['reset', 'end'] as const)('over SSE, by %s: Codex’s retry succeeds and is joined to it', async how => {
      await expectJoined(await aCodexWorld({ halfway: onceInTheMiddle(how) }));
    });

    it.each(['reset', 'end'] as const)('over its WebSocket, by %s: the same', async how => {
      await expectJoined(await aCodexWorld({ webSocket: true, deflate: true, halfway: onceInTheMiddle(how) }));
    });

    it('by falling silent: Codex gives it up, and its retry succeeds and is joined to it', async () => {
      await expectJoined(await aCodexWorld({ halfway: onceInTheMiddle('stall') }), impatient);
    });
  },
);

import type { ConversationItem, Exchange, SessionSummary } from '../../../../protocol/sessions.ts';
import { addCost, addUsage, noCost, noUsage } from '../../../../protocol/usage.ts';
import type { SessionReader } from '../../../../server/traces/sessions/sessionReader.ts';

const startMs = Date.parse('2026-11-20T16:04:00.000Z');

export function anExchange(number: number, changes: Partial<Exchange> = {}): Exchange {
  return {
    id: `exchange-${number}`,
    sessionId: 'session-1',
    startedAt: new Date(startMs + number * 10_000).toISOString(),
    durationMs: 4000,
    timeToFirstByteMs: 1000 + number,
    attempt: 1,
    method: 'POST',
    url: 'https://api.openai.com/v1/responses',
    upstreamHost: 'api.openai.com',
    status: 200,
    dialect: 'responses',
    transport: 'sse',
    model: 'gpt-5.5',
    usage: { inputTokens: 1000 * number, cachedInputTokens: 900 * (number - 1), outputTokens: 50, reasoningTokens: 10 },
    cost: { amountUsd: 0.01, kind: 'priced' },
    error: null,
    ...changes,
  };
}

export function anItem(
  exchange: number,
  kind: ConversationItem['kind'],
  text: string,
  tool: { toolName?: string; callId?: string } = {},
): ConversationItem {
  return {
    exchangeId: `exchange-${exchange}`,
    kind,
    text,
    toolName: tool.toolName ?? null,
    callId: tool.callId ?? null,
  };
}

/** A session held in memory. */
export function aReader(
  exchanges: readonly Exchange[],
  conversation: readonly ConversationItem[],
  changes: Partial<SessionSummary> = {},
  replies: ReadonlyMap<string, unknown> = new Map(),
): SessionReader {
  const session: SessionSummary = {
    id: 'session-1',
    agent: 'codex',
    title: 'Refunds in JPY arrive with two decimals',
    startedAt: exchanges[0]?.startedAt ?? new Date(startMs).toISOString(),
    endedAt: exchanges.at(-1)?.startedAt ?? new Date(startMs).toISOString(),
    exchanges: exchanges.length,
    models: ['gpt-5.5'],
    usage: exchanges.map(exchange => exchange.usage).reduce(addUsage, noUsage),
    cost: exchanges.map(exchange => exchange.cost).reduce(addCost, noCost),
    repository: '/home/me/orders-api',
    source: 'proxy',
    ...changes,
  };
  return {
    snapshot: work => work(),
    requireSession: () => session,
    exchangesOfSession: () => [...exchanges],
    conversation: () => [...conversation],
    userAgent: () => 'codex_exec/0.169.0 (Debian)',
    reply: id => replies.get(id) ?? null,
  };
}

/** A session with everything that a page or an export has to show. */
export function aRichSession(): SessionReader {
  const patch = JSON.stringify({
    input:
      '*** Begin Patch\n*** Update File: src/billing/refund.ts\n@@\n-  return (amount / 100).toFixed(2);\n+  const digits = MINOR_UNITS[currency] ?? 2;\n+  return (amount / 10 ** digits).toFixed(digits);\n*** End Patch',
  });
  return aReader(
    [
      anExchange(1),
      anExchange(2),
      anExchange(3, {
        error: 'Rate limit reached for gpt-5.5.',
        status: 429,
        usage: noUsage,
        cost: noCost,
        model: 'gpt-5.5',
      }),
      anExchange(4, { attempt: 2, cost: { amountUsd: null, kind: 'unpriced' } }),
    ],
    [
      anItem(1, 'system', 'You are Codex, a coding agent.\nBe brief.'),
      anItem(1, 'user', '<environment_context>\n  <cwd>/home/me/orders-api</cwd>\n</environment_context>'),
      anItem(
        1,
        'user',
        'Refunds in JPY and KRW arrive at the provider with two decimals and are rejected. Please fix the rounding, and don’t touch the public API.',
      ),
      anItem(1, 'reasoning', 'Locate where refund amounts are formatted before the provider call.'),
      anItem(1, 'toolCall', '{"cmd":"rg -n \\"toFixed|toMinorUnits\\" src test"}', {
        toolName: 'exec_command',
        callId: 'c1',
      }),
      anItem(
        2,
        'toolOutput',
        'Chunk ID: 1\nProcess exited with code 0\nOutput:\nsrc/billing/refund.ts:41: return (amount / 100).toFixed(2);',
        { callId: 'c1' },
      ),
      anItem(2, 'reasoning', 'JPY has 0 minor units, KWD has 3. A table keyed by ISO code is safer than a switch.'),
      anItem(2, 'toolCall', patch, { toolName: 'apply_patch', callId: 'c2' }),
      anItem(2, 'toolCall', '{"cmd":"npx vitest run test/billing","workdir":"/home/me/orders-api"}', {
        toolName: 'exec_command',
        callId: 'c3',
      }),
      anItem(4, 'toolOutput', 'Success. Updated the following files:\nM src/billing/refund.ts', { callId: 'c2' }),
      anItem(
        4,
        'toolOutput',
        `Process exited with code 1\nOutput:\n${'FAIL test/billing/refund.test.ts\n'.repeat(60)}`,
        { callId: 'c3' },
      ),
      anItem(
        4,
        'assistant',
        'Refund amounts now use the number of minor units of their currency, so JPY and KRW are sent without decimals and KWD with three.\n\nEUR and USD are unchanged.',
      ),
    ],
  );
}

import { hasFailed } from '../../../protocol/exchanges.ts';
import type { ConversationItem, Exchange, SessionReport } from '../../../protocol/sessions.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import type { WholeSession } from './sessionReader.ts';
import { pairOutputs } from './toolOutputs.ts';
import { filesEditedBy, reportsFailure } from './toolUse.ts';
import { turnsIn } from './turns.ts';

const shownSteps = 5;

/** What a session came to, from its exchanges and its conversation. */
export function reportOf({ session, exchanges, conversation }: WholeSession): SessionReport {
  return {
    session,
    turns: turnsIn(conversation),
    retries: exchanges.filter(({ attempt }) => attempt > 1).length,
    errors: exchanges.filter(hasFailed).length,
    withoutUsage: exchanges.filter(lacksUsage).length,
    tools: toolsOf(conversation),
    files: filesOf(conversation),
    firstByteMs: quantilesOf(exchanges.flatMap(exchange => exchange.timeToFirstByteMs ?? [])),
    modelMs: exchanges.reduce((sum, exchange) => sum + (exchange.durationMs ?? 0), 0),
    elapsedMs: elapsed(exchanges),
    longest: stepsOf(exchanges, conversation)
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, shownSteps),
  };
}

/** A model answered, and did not tell what it used. */
function lacksUsage(exchange: Exchange): boolean {
  return !hasFailed(exchange) && exchange.model !== null && totalTokens(exchange.usage) === null;
}

function toolsOf(conversation: readonly ConversationItem[]): SessionReport['tools'] {
  const outputs = pairOutputs(conversation);
  const tools = new Map<string, { name: string; calls: number; failures: number }>();
  for (const call of conversation.filter(item => item.kind === 'toolCall')) {
    const name = call.toolName ?? 'unknown';
    const tool = tools.get(name) ?? { name, calls: 0, failures: 0 };
    tools.set(name, tool);
    tool.calls++;
    const output = outputs.get(call);
    if (output !== undefined && reportsFailure(output.text)) tool.failures++;
  }
  return [...tools.values()].sort((a, b) => b.calls - a.calls);
}

function filesOf(conversation: readonly ConversationItem[]): SessionReport['files'] {
  const edits = new Map<string, number>();
  for (const call of conversation.filter(item => item.kind === 'toolCall')) {
    for (const path of new Set(filesEditedBy(call))) edits.set(path, (edits.get(path) ?? 0) + 1);
  }
  return [...edits].map(([path, count]) => ({ path, edits: count })).sort((a, b) => b.edits - a.edits);
}

/** Nearest-rank quantiles; null of nothing. */
function quantilesOf(values: readonly number[]): { p50: number; p95: number } | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95) };
}

const startOf = (exchange: Exchange) => Date.parse(exchange.startedAt);
const endOf = (exchange: Exchange) => startOf(exchange) + (exchange.durationMs ?? 0);

function elapsed(exchanges: readonly Exchange[]): number {
  if (exchanges.length === 0) return 0;
  const endMs = exchanges.map(endOf).reduce((latest, end) => Math.max(latest, end));
  return endMs - exchanges.map(startOf).reduce((earliest, start) => Math.min(earliest, start));
}

/** Waiting for the model, and between two exchanges for the tools that the first of them called. */
function stepsOf(exchanges: readonly Exchange[], conversation: readonly ConversationItem[]): SessionReport['longest'] {
  const called = new Map<string, Set<string>>();
  for (const { kind, exchangeId, toolName, isCopied } of conversation) {
    if (kind !== 'toolCall' || isCopied) continue;
    called.set(exchangeId, (called.get(exchangeId) ?? new Set()).add(toolName ?? 'unknown'));
  }
  return exchanges.flatMap((exchange, index): SessionReport['longest'] => {
    const { id: exchangeId, startedAt, durationMs, model } = exchange;
    const steps: SessionReport['longest'] = [];
    if (durationMs !== null) steps.push({ kind: 'model', name: model ?? 'unknown', exchangeId, startedAt, durationMs });
    const next = exchanges[index + 1];
    const tools = called.get(exchangeId);
    if (next !== undefined && tools !== undefined && startOf(next) > endOf(exchange)) {
      const name = [...tools].join(', ');
      const at = new Date(endOf(exchange)).toISOString();
      steps.push({ kind: 'tool', name, exchangeId, startedAt: at, durationMs: startOf(next) - endOf(exchange) });
    }
    return steps;
  });
}

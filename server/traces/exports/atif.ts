import { CoachError } from '../../../protocol/errors.ts';
import { hasFailed } from '../../../protocol/exchanges.ts';
import type { ConversationItem, Exchange, SessionSummary } from '../../../protocol/sessions.ts';
import { addCost, addUsage, noCost, noUsage, totalTokens, type Usage, wholeUsd } from '../../../protocol/usage.ts';
import { isObject, parseJson } from '../json.ts';
import { type SessionReader, type WholeSession, wholeSession } from '../sessions/sessionReader.ts';
import { pairOutputs } from '../sessions/toolOutputs.ts';
import { wellFormed } from './wellFormed.ts';

/** A trajectory in the Agent Trajectory Interchange Format, ATIF-v1.7 (Harbor RFC 0001). */
export interface AtifTrajectory {
  readonly schema_version: 'ATIF-v1.7';
  readonly session_id: string;
  readonly agent: { readonly name: string; readonly version: string; readonly model_name?: string };
  readonly steps: readonly AtifStep[];
  readonly final_metrics: AtifTotals;
  readonly extra: { readonly sessions: readonly string[] };
}

export interface AtifStep {
  /** 1..n without a gap. */
  readonly step_id: number;
  readonly timestamp: string;
  readonly source: 'system' | 'user' | 'agent';
  readonly message: string;
  readonly model_name?: string;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly AtifToolCall[];
  /** A result without an id is of a call that was not recorded. */
  readonly observation?: {
    readonly results: readonly { readonly source_call_id?: string; readonly content: string }[];
  };
  readonly metrics?: AtifMetrics;
  /** History of before this trajectory: the request brought it. */
  readonly is_copied_context?: boolean;
  /** Of an exchange that failed. */
  readonly extra?: { readonly error?: string; readonly status?: number };
}

interface AtifToolCall {
  readonly tool_call_id: string;
  readonly function_name: string;
  readonly arguments: { readonly [name: string]: unknown };
}

interface AtifMetrics {
  readonly prompt_tokens?: number;
  readonly completion_tokens?: number;
  readonly cached_tokens?: number;
  readonly cost_usd?: number;
  readonly extra?: { readonly reasoning_tokens: number };
}

interface AtifTotals {
  readonly total_prompt_tokens?: number;
  readonly total_completion_tokens?: number;
  readonly total_cached_tokens?: number;
  readonly total_cost_usd?: number;
  readonly total_steps: number;
}

/**
 * Sessions of one trial (or one session) as one trajectory, one agent step per exchange. What a resumed session brings
 * along stands before, as steps of its own without figures.
 * @throws CoachError `session.missing`
 */
export function toAtif(store: SessionReader, sessionIds: readonly string[]): AtifTrajectory {
  const read = store.snapshot(() => sessionIds.map(id => wholeSession(store, id)));
  const sessions = read.map(({ session }) => session);
  const [first] = sessions;
  if (first === undefined) throw new CoachError('session.missing', 'No session was recorded.');
  const steps = read.flatMap(stepsOf);
  const model = first.models[0];
  return wellFormed({
    schema_version: 'ATIF-v1.7' as const,
    session_id: first.id,
    agent: {
      name: first.agent ?? 'unknown',
      version: /\/(\d[\w.-]*)/.exec(store.userAgent(first.id) ?? '')?.[1] ?? 'unknown',
      ...(model === undefined ? {} : { model_name: model }),
    },
    steps: steps.map((step, index) => ({ step_id: index + 1, ...step })),
    final_metrics: totals(sessions, steps.length),
    extra: { sessions: sessionIds },
  });
}

type Step = Omit<AtifStep, 'step_id'>;
type Calls = ReadonlyMap<ConversationItem, { readonly id: string; readonly output: ConversationItem | undefined }>;

function stepsOf({ exchanges, conversation: items }: WholeSession): Step[] {
  const outputs = pairOutputs(items);
  const withCall = new Set(outputs.values());
  const byExchange = Map.groupBy(items, item => item.exchangeId);
  return exchanges.flatMap(exchange => {
    const own = byExchange.get(exchange.id) ?? [];
    const calls = callsOf(exchange, own, outputs);
    const reply = own.filter(isReply);
    const steps = askedSteps(exchange, own, calls, withCall);
    // Without a word there are still tokens, which the steps must add up to, or a reason.
    const isEmpty = reply.length === 0 && totalTokens(exchange.usage) === null && !hasFailed(exchange);
    return isEmpty ? steps : [...steps, replyStep(exchange, reply, calls)];
  });
}

/** Calls of an exchange; the format wants an id of its own where the API gave none, or one to several. */
function callsOf(
  exchange: Exchange,
  own: readonly ConversationItem[],
  outputs: ReadonlyMap<ConversationItem, ConversationItem>,
): Calls {
  const taken = new Set<string>();
  const toCall = (item: ConversationItem, index: number) => {
    const given = item.callId === null || taken.has(item.callId) ? null : item.callId;
    if (given !== null) taken.add(given);
    return [item, { id: given ?? `${exchange.id}-${index}`, output: outputs.get(item) }] as const;
  };
  return new Map(own.filter(item => item.kind === 'toolCall').map(toCall));
}

function isReply({ kind, isCopied }: ConversationItem): boolean {
  return !isCopied && (kind === 'assistant' || kind === 'reasoning' || kind === 'toolCall');
}

/** What a request brought, in order. Where that is history, it goes as far as the model's last words in it. */
function askedSteps(
  exchange: Exchange,
  own: readonly ConversationItem[],
  calls: Calls,
  withCall: ReadonlySet<ConversationItem>,
): Step[] {
  const lastCopied = own.findLast(item => item.isCopied);
  let isHistory = lastCopied !== undefined;
  return runsOf(own).flatMap((run): Step[] => {
    const [item] = run;
    const { kind, isCopied, text } = item;
    const timestamp = exchange.startedAt;
    const copied = isHistory ? { is_copied_context: true } : {};
    if (lastCopied !== undefined && run.includes(lastCopied)) isHistory = false;
    if (isCopied) return [{ ...agentStep(exchange, run, calls), ...copied }];
    if (kind === 'user') return [{ timestamp, source: kind, message: text, ...copied }];
    if (kind === 'toolOutput' && !withCall.has(item)) {
      return [{ timestamp, source: 'system', message: '', observation: { results: [{ content: text }] }, ...copied }];
    }
    // Instructions come with every request: they are never only a copy.
    return kind === 'system' ? [{ timestamp, source: kind, message: text }] : [];
  });
}

/** What the model said earlier between two messages of others stands together. */
function runsOf(items: readonly ConversationItem[]): [ConversationItem, ...ConversationItem[]][] {
  const runs: [ConversationItem, ...ConversationItem[]][] = [];
  for (const [index, item] of items.entries()) {
    if (item.isCopied && items[index - 1]?.isCopied) runs.at(-1)?.push(item);
    else runs.push([item]);
  }
  return runs;
}

function replyStep(exchange: Exchange, reply: readonly ConversationItem[], calls: Calls): Step {
  return {
    ...agentStep(exchange, reply, calls),
    ...(exchange.model === null ? {} : { model_name: exchange.model }),
    metrics: metricsOf(exchange.usage, exchange.cost.amountUsd),
    ...(hasFailed(exchange) ? { extra: failureOf(exchange) } : {}),
  };
}

function failureOf({ error, status }: Exchange): NonNullable<AtifStep['extra']> {
  return { ...(error === null ? {} : { error }), ...(status === null ? {} : { status }) };
}

function agentStep(exchange: Exchange, said: readonly ConversationItem[], calls: Calls): Step {
  const textsOf = (kind: ConversationItem['kind']) =>
    said.flatMap(item => (item.kind === kind ? [item.text] : [])).join('\n\n');
  const called = said.flatMap(item => {
    const call = calls.get(item);
    return call === undefined ? [] : [{ item, ...call }];
  });
  const results = called.flatMap(({ id, output }) =>
    output === undefined ? [] : [{ source_call_id: id, content: output.text }],
  );
  const reasoning = textsOf('reasoning');
  return {
    timestamp: exchange.startedAt,
    source: 'agent',
    message: textsOf('assistant'),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(called.length === 0 ? {} : { tool_calls: called.map(({ item, id }) => toToolCall(item, id)) }),
    ...(results.length === 0 ? {} : { observation: { results } }),
  };
}

/** Arguments must be an object; a freeform tool's text stands as `input`. */
function toToolCall({ text, toolName }: ConversationItem, id: string): AtifToolCall {
  const parsed = parseJson(text);
  return {
    tool_call_id: id,
    function_name: toolName ?? 'unknown',
    arguments: isObject(parsed) ? parsed : { input: text },
  };
}

function metricsOf(usage: Usage, costUsd: number | null): AtifMetrics {
  return {
    ...(usage.inputTokens === null ? {} : { prompt_tokens: usage.inputTokens }),
    ...(usage.outputTokens === null ? {} : { completion_tokens: usage.outputTokens }),
    ...(usage.cachedInputTokens === null ? {} : { cached_tokens: usage.cachedInputTokens }),
    ...(costUsd === null ? {} : { cost_usd: costUsd }),
    ...(usage.reasoningTokens === null ? {} : { extra: { reasoning_tokens: usage.reasoningTokens } }),
  };
}

function totals(sessions: readonly SessionSummary[], steps: number): AtifTotals {
  const usage = sessions.map(session => session.usage).reduce(addUsage, noUsage);
  const costUsd = wholeUsd(sessions.map(session => session.cost).reduce(addCost, noCost));
  return {
    ...(usage.inputTokens === null ? {} : { total_prompt_tokens: usage.inputTokens }),
    ...(usage.outputTokens === null ? {} : { total_completion_tokens: usage.outputTokens }),
    ...(usage.cachedInputTokens === null ? {} : { total_cached_tokens: usage.cachedInputTokens }),
    ...(costUsd === null ? {} : { total_cost_usd: costUsd }),
    total_steps: steps,
  };
}

import { CoachError } from '../../protocol/errors.ts';
import type { ConversationItem, Exchange, SessionSummary } from '../../protocol/sessions.ts';
import { addCost, addUsage, noCost, noUsage, totalTokens, type Usage } from '../../protocol/usage.ts';
import { isObject, parseJson } from './json.ts';
import type { SessionReader } from './sessionReader.ts';

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
  readonly observation?: { readonly results: readonly { readonly source_call_id: string; readonly content: string }[] };
  readonly metrics?: AtifMetrics;
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
 * Sessions of one trial (or one session) as one trajectory, one agent step per exchange.
 * @throws CoachError `session.missing`
 */
export function toAtif(store: SessionReader, sessionIds: readonly string[]): AtifTrajectory {
  const sessions = sessionIds.map(id => store.requireSession(id));
  const [first] = sessions;
  if (first === undefined) throw new CoachError('session.missing', 'No session was recorded.');
  const steps = sessions.flatMap(session => stepsOf(store, session));
  const model = first.models[0];
  return {
    schema_version: 'ATIF-v1.7',
    session_id: first.id,
    agent: {
      name: first.agent ?? 'unknown',
      version: /\/(\d[\w.-]*)/.exec(store.userAgent(first.id) ?? '')?.[1] ?? 'unknown',
      ...(model === undefined ? {} : { model_name: model }),
    },
    steps: steps.map((step, index) => ({ step_id: index + 1, ...step })),
    final_metrics: totals(sessions, steps.length),
    extra: { sessions: sessionIds },
  };
}

type Step = Omit<AtifStep, 'step_id'>;

function stepsOf(store: SessionReader, session: SessionSummary): Step[] {
  const items = store.conversation(session.id);
  const outputs = new Map(items.filter(item => item.kind === 'toolOutput').map(item => [item.callId, item.text]));
  const byExchange = Map.groupBy(items, item => item.exchangeId);
  return store.exchangesOfSession(session.id).flatMap(exchange => {
    const own = byExchange.get(exchange.id) ?? [];
    const asked = own.filter(item => item.kind === 'system' || item.kind === 'user');
    const reply = own.filter(item => ['assistant', 'reasoning', 'toolCall'].includes(item.kind));
    const steps: Step[] = asked.map(item => ({
      timestamp: exchange.startedAt,
      source: item.kind === 'system' ? 'system' : 'user',
      message: item.text,
    }));
    // Without a word there are still tokens, which the steps must add up to.
    const isEmpty = reply.length === 0 && totalTokens(exchange.usage) === null;
    return isEmpty ? steps : [...steps, agentStep(exchange, reply, outputs)];
  });
}

function agentStep(
  exchange: Exchange,
  reply: readonly ConversationItem[],
  outputs: ReadonlyMap<string | null, string>,
): Step {
  const textsOf = (kind: ConversationItem['kind']) =>
    reply.flatMap(item => (item.kind === kind ? [item.text] : [])).join('\n\n');
  const calls = reply
    .filter(item => item.kind === 'toolCall')
    .map((item, index) => ({ ...item, id: item.callId ?? `${exchange.id}-${index}` }));
  const results = calls.flatMap(call => {
    const content = outputs.get(call.id);
    return content === undefined ? [] : [{ source_call_id: call.id, content }];
  });
  const reasoning = textsOf('reasoning');
  return {
    timestamp: exchange.startedAt,
    source: 'agent',
    message: textsOf('assistant'),
    ...(exchange.model === null ? {} : { model_name: exchange.model }),
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(toToolCall) }),
    ...(results.length === 0 ? {} : { observation: { results } }),
    metrics: metricsOf(exchange.usage, exchange.cost.amountUsd),
  };
}

/** Arguments must be an object; a freeform tool's text stands as `input`. */
function toToolCall(call: ConversationItem & { id: string }): AtifToolCall {
  const parsed = parseJson(call.text);
  return {
    tool_call_id: call.id,
    function_name: call.toolName ?? 'unknown',
    arguments: isObject(parsed) ? parsed : { input: call.text },
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
  const { amountUsd } = sessions.map(session => session.cost).reduce(addCost, noCost);
  return {
    ...(usage.inputTokens === null ? {} : { total_prompt_tokens: usage.inputTokens }),
    ...(usage.outputTokens === null ? {} : { total_completion_tokens: usage.outputTokens }),
    ...(usage.cachedInputTokens === null ? {} : { total_cached_tokens: usage.cachedInputTokens }),
    ...(amountUsd === null ? {} : { total_cost_usd: amountUsd }),
    total_steps: steps,
  };
}

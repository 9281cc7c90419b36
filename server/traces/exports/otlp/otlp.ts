import { hasFailed } from '../../../../protocol/exchanges.ts';
import type { ConversationItem, Exchange, SessionSummary } from '../../../../protocol/sessions.ts';
import { wholeUsd } from '../../../../protocol/usage.ts';
import { version } from '../../../base/version.ts';
import { arrayAt, stringAt } from '../../json.ts';
import { type SessionReader, type WholeSession, wholeSession } from '../../sessions/sessionReader.ts';
import { pairOutputs } from '../../sessions/toolOutputs.ts';
import { wellFormed } from '../wellFormed.ts';
import { attributesOf, idOf, type OtlpSpan, type OtlpTraces, spanKinds, toNano } from './encoding.ts';
import { toMessages } from './messages.ts';
import { providerOf } from './names.ts';

/**
 * One session as OpenTelemetry GenAI spans: `invoke_agent` over `chat` for each exchange and `execute_tool` for each
 * call. `content` puts what was said into them; a span then has what its exchange added, not the conversation again.
 * A tool's span lasts from the end of the reply that called it to the next request: closer it was not observed.
 * @throws CoachError `session.missing`
 */
export function toOtlp(reader: SessionReader, sessionId: string, content: boolean): OtlpTraces {
  const { session, spans } = reader.snapshot(() => {
    const read = wholeSession(reader, sessionId);
    return { session: read.session, spans: spansOf(read, id => reader.reply(id), content) };
  });
  const agent = session.agent ?? 'unknown';
  return wellFormed({
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ serviceName: agent }) },
        scopeSpans: [{ scope: { name: 'codex-coach', version }, spans: [agentSpan(session, agent), ...spans] }],
      },
    ],
  });
}

function spansOf(
  { exchanges, conversation }: WholeSession,
  replyOf: (exchangeId: string) => unknown,
  content: boolean,
): OtlpSpan[] {
  const outputs = pairOutputs(conversation);
  const byExchange = Map.groupBy(conversation, item => item.exchangeId);
  return exchanges.flatMap((exchange, index) => {
    const own = byExchange.get(exchange.id) ?? [];
    const calls = own.filter(item => item.kind === 'toolCall' && !item.isCopied);
    const next = exchanges[index + 1];
    return [
      chatSpan(exchange, replyOf(exchange.id), content ? own : null),
      ...calls.map((call, place) => toolSpan({ call, place, exchange, next, output: outputs.get(call), content })),
    ];
  });
}

const agentSpanId = (sessionId: string) => idOf(`session ${sessionId}`, 8);

function agentSpan(session: SessionSummary, agent: string): OtlpSpan {
  return {
    traceId: idOf(session.id, 16),
    spanId: agentSpanId(session.id),
    name: `invoke_agent ${agent}`,
    kind: spanKinds.internal,
    startTimeUnixNano: toNano(Date.parse(session.startedAt)),
    endTimeUnixNano: toNano(Date.parse(session.endedAt)),
    attributes: attributesOf({
      operation: 'invoke_agent',
      agent,
      conversation: session.id,
      inputTokens: session.usage.inputTokens,
      cachedInputTokens: session.usage.cachedInputTokens,
      outputTokens: session.usage.outputTokens,
      reasoningTokens: session.usage.reasoningTokens,
      costUsd: wholeUsd(session.cost),
    }),
    status: { code: 0 },
  };
}

const startOf = (exchange: Exchange) => Date.parse(exchange.startedAt);
const endOf = (exchange: Exchange) => startOf(exchange) + (exchange.durationMs ?? 0);

function chatSpan(exchange: Exchange, reply: unknown, said: readonly ConversationItem[] | null): OtlpSpan {
  const { usage, sessionId, model, status, error } = exchange;
  const failed = hasFailed(exchange);
  const reasons = finishReasons(reply);
  return {
    traceId: idOf(sessionId, 16),
    spanId: idOf(`exchange ${exchange.id}`, 8),
    parentSpanId: agentSpanId(sessionId),
    name: model === null ? 'chat' : `chat ${model}`,
    kind: spanKinds.client,
    startTimeUnixNano: toNano(startOf(exchange)),
    endTimeUnixNano: toNano(endOf(exchange)),
    attributes: attributesOf({
      operation: 'chat',
      provider: providerOf(exchange.upstreamHost),
      conversation: sessionId,
      requestModel: model,
      responseId: stringAt(reply, 'id') ?? stringAt(reply, 'responseId'),
      responseModel: stringAt(reply, 'model') ?? stringAt(reply, 'modelVersion'),
      finishReasons: reasons,
      inputTokens: usage.inputTokens,
      cachedInputTokens: usage.cachedInputTokens,
      outputTokens: usage.outputTokens,
      reasoningTokens: usage.reasoningTokens,
      costUsd: exchange.cost.amountUsd,
      firstByteMs: exchange.timeToFirstByteMs,
      server: exchange.upstreamHost,
      httpStatus: status,
      error: failed ? String(status !== null && status >= 400 ? status : '_OTHER') : null,
      ...(said === null ? {} : toMessages(said, reasons?.[0] ?? (failed ? 'error' : null))),
    }),
    status: failed ? { code: 2, ...(error === null ? {} : { message: error }) } : { code: 0 },
  };
}

/** Why the model stopped, in its API's own word; null where it gave none. */
function finishReasons(reply: unknown): string[] | null {
  const reasons = [
    stringAt(reply, 'stop_reason'),
    ...arrayAt(reply, 'choices').map(choice => stringAt(choice, 'finish_reason')),
    ...arrayAt(reply, 'candidates').map(candidate => stringAt(candidate, 'finishReason')),
    ...(stringAt(reply, 'object') === 'response' || arrayAt(reply, 'output').length > 0
      ? [stringAt(reply, 'status')]
      : []),
  ].filter(reason => reason !== null);
  return reasons.length === 0 ? null : reasons;
}

interface ToolCall {
  readonly call: ConversationItem;
  /** Which of the calls of its reply. */
  readonly place: number;
  readonly exchange: Exchange;
  readonly next: Exchange | undefined;
  readonly output: ConversationItem | undefined;
  readonly content: boolean;
}

function toolSpan({ call, place, exchange, next, output, content }: ToolCall): OtlpSpan {
  const startMs = endOf(exchange);
  const tool = call.toolName ?? 'unknown';
  return {
    traceId: idOf(exchange.sessionId, 16),
    spanId: idOf(`call ${exchange.id} ${place}`, 8),
    parentSpanId: agentSpanId(exchange.sessionId),
    name: `execute_tool ${tool}`,
    kind: spanKinds.internal,
    startTimeUnixNano: toNano(startMs),
    endTimeUnixNano: toNano(Math.max(startMs, next === undefined ? startMs : startOf(next))),
    attributes: attributesOf({
      operation: 'execute_tool',
      conversation: exchange.sessionId,
      toolName: tool,
      toolCallId: call.callId,
      toolArguments: content ? call.text : null,
      toolResult: content ? (output?.text ?? null) : null,
    }),
    status: { code: 0 },
  };
}

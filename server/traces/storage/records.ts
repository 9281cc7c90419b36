import * as z from 'zod';
import { Dialect, Exchange, type SessionSummary } from '../../../protocol/sessions.ts';
import { addCost, Cost, noCost, type Usage } from '../../../protocol/usage.ts';
import { toIso } from '../../base/clock.ts';

/** What is no count, such as a -1 that came without its sign, was not told: one figure must not hide all others. */
const Tokens = z.int().nonnegative().nullable().catch(null);

/** Rows of `traces.sqlite3` as they are read, and what the rest of the program sees of them. */
const UsageColumns = z.object({
  input_tokens: Tokens,
  cached_input_tokens: Tokens,
  output_tokens: Tokens,
  reasoning_tokens: Tokens,
});
type UsageColumns = z.infer<typeof UsageColumns>;

const CostKind = Cost.shape.kind;

const jsonList = <T extends z.ZodType>(member: T) =>
  z.string().transform((text, context) => {
    const parsed = z.array(member).safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: 'Not the list it should be' });
    return z.NEVER;
  });

export const SessionRecord = z.object({
  id: z.string(),
  seq: z.int(),
  agent: z.string().nullable(),
  user_agent: z.string().nullable(),
  title: z.string(),
  repository: z.string().nullable(),
  started_ms: z.number(),
  ended_ms: z.number(),
  purpose: z.literal('title').nullable().catch(null),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

/** The highest number that an exchange ever had, as SQL: also one that is deleted is not used twice. */
export const lastNumber = 'SELECT max(seq, coalesce((SELECT max(seq) FROM exchanges), 0)) FROM deleted_through';

/** Sums of `usage_totals` as SQL; a figure that nothing reported is null. */
export const totalsColumns = `coalesce(sum(exchanges), 0) AS exchanges, sum(input_tokens) AS input_tokens,
  sum(cached_input_tokens) AS cached_input_tokens, sum(output_tokens) AS output_tokens,
  sum(reasoning_tokens) AS reasoning_tokens, sum(cost_usd) AS cost_usd,
  group_concat(DISTINCT cost_kind) AS cost_kinds`;

/** As `group_concat` gives them; null for no rows. */
const CostKinds = z
  .string()
  .nullable()
  .transform(kinds => kinds?.split(',') ?? [])
  .pipe(z.array(CostKind));

export const TotalsRecord = UsageColumns.extend({
  exchanges: z.int(),
  cost_usd: z.number().nullable(),
  cost_kinds: CostKinds,
});
type TotalsRecord = z.infer<typeof TotalsRecord>;

export const SessionTotalsRecord = TotalsRecord.extend({ models: jsonList(z.string().nullable()) });
type SessionTotalsRecord = z.infer<typeof SessionTotalsRecord>;

const Blob = z.instanceof(Buffer).nullable();

/** What an exchange's texts are made from, see `toWireText`. */
export const WireRecord = z.object({
  ts_ms: z.number(),
  dialect: z.string(),
  request_json: z.string().nullable(),
  request_head: z.string().nullable(),
  request_verbatim: Blob,
  /** Null for what was recorded before texts were kept. */
  request_bytes: z.int().nullable(),
  response_json: z.string().nullable(),
  response_head: z.string().nullable(),
  response_events: Blob,
});
export type WireRecord = z.infer<typeof WireRecord>;

export const ExchangeRecord = UsageColumns.extend({
  id: z.string(),
  session_id: z.string(),
  ts_ms: z.number(),
  duration_ms: z.number().nullable(),
  first_byte_ms: z.number().nullable(),
  method: z.string(),
  url: z.string(),
  upstream_host: z.string(),
  status: z.int().nullable(),
  dialect: Dialect,
  transport: Exchange.shape.transport,
  model: z.string().nullable(),
  cost_usd: z.number().nullable(),
  cost_kind: CostKind,
  error: z.string().nullable(),
  attempt: z.int(),
});
export type ExchangeRecord = z.infer<typeof ExchangeRecord>;

export function toExchange(record: ExchangeRecord): Exchange {
  return {
    id: record.id,
    sessionId: record.session_id,
    startedAt: toIso(record.ts_ms),
    durationMs: record.duration_ms,
    timeToFirstByteMs: record.first_byte_ms,
    method: record.method,
    url: record.url,
    upstreamHost: record.upstream_host,
    status: record.status,
    dialect: record.dialect,
    transport: record.transport,
    model: record.model,
    usage: toUsage(record),
    cost: { amountUsd: record.cost_usd, kind: record.cost_kind },
    error: record.error,
    attempt: record.attempt,
  };
}

export function toSessionSummary(record: SessionRecord, totals: SessionTotalsRecord): SessionSummary {
  return {
    id: record.id,
    agent: record.agent,
    title: record.purpose === 'title' ? 'Title for a session' : record.title || 'Untitled session',
    startedAt: toIso(record.started_ms),
    endedAt: toIso(record.ended_ms),
    exchanges: totals.exchanges,
    models: totals.models.filter(model => model !== null),
    usage: toUsage(totals),
    cost: toCost(totals),
    repository: record.repository,
    source: 'proxy',
    ...(record.purpose === null ? {} : { purpose: record.purpose }),
  };
}

export function toUsage(record: UsageColumns): Usage {
  return {
    inputTokens: record.input_tokens,
    cachedInputTokens: record.cached_input_tokens,
    outputTokens: record.output_tokens,
    reasoningTokens: record.reasoning_tokens,
  };
}

/** The kinds of a group decide what its sum means, see `addCost`. */
export function toCost({ cost_usd, cost_kinds }: Pick<TotalsRecord, 'cost_usd' | 'cost_kinds'>): Cost {
  return cost_kinds
    .map((kind): Cost => ({ amountUsd: kind === 'priced' ? cost_usd : null, kind }))
    .reduce(addCost, noCost);
}

import * as z from 'zod';
import { api, event, request } from './api.ts';
import { pointInTime } from './since.ts';
import { Cost, Usage } from './usage.ts';

export const Dialect = z.enum(['responses', 'chat', 'messages', 'gemini', 'other']);
export type Dialect = z.infer<typeof Dialect>;

export const SessionSummary = z.object({
  /** The agent's own conversation id (Codex thread id, Claude session id) or one we gave. */
  id: z.string(),
  agent: z.string().nullable(),
  /** First line of the first prompt, at most 120 characters. */
  title: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  exchanges: z.int(),
  models: z.array(z.string()),
  usage: Usage,
  cost: Cost,
  /** Working directory of the agent, where its requests tell it. */
  repository: z.string().nullable(),
  /** `proxy`: recorded off the wire. `codexFile`: read from the session file that Codex itself keeps. */
  source: z.enum(['proxy', 'codexFile']),
  /** An agent's program asks by itself in it how to call another session. */
  purpose: z.literal('title').optional(),
});
export type SessionSummary = z.infer<typeof SessionSummary>;

export const Exchange = z.object({
  id: z.string(),
  sessionId: z.string(),
  startedAt: z.iso.datetime(),
  durationMs: z.number().nullable(),
  timeToFirstByteMs: z.number().nullable(),
  method: z.string(),
  url: z.string(),
  upstreamHost: z.string(),
  status: z.int().nullable(),
  dialect: Dialect,
  transport: z.enum(['sse', 'json', 'websocket', 'other']),
  model: z.string().nullable(),
  usage: Usage,
  cost: Cost,
  error: z.string().nullable(),
  /** Which try of its turn, from 1. */
  attempt: z.int(),
});
export type Exchange = z.infer<typeof Exchange>;

export const ConversationItem = z.object({
  /** The exchange that brought this item: as part of its request, or as its reply. */
  exchangeId: z.string(),
  kind: z.enum(['system', 'user', 'assistant', 'reasoning', 'toolCall', 'toolOutput', 'other']),
  text: z.string(),
  toolName: z.string().nullable(),
  callId: z.string().nullable(),
  /** The model said it, but not in reply to this exchange: the request brought it, as a resumed session's history. */
  isCopied: z.literal(true).optional(),
});
export type ConversationItem = z.infer<typeof ConversationItem>;

/** What one session came to, worked out from its exchanges and its conversation. */
export const SessionReport = z.object({
  session: SessionSummary,
  /** Messages that a person wrote. */
  turns: z.int(),
  /** Exchanges that tried a failed request of the same session again. */
  retries: z.int(),
  /** Exchanges that ended with an error. */
  errors: z.int(),
  /** Other exchanges that told no usage: their tokens are in no sum. */
  withoutUsage: z.int().default(0),
  /** Most called first. `failures`: outputs that report a non-zero exit code or an error. */
  tools: z.array(z.object({ name: z.string(), calls: z.int(), failures: z.int() })),
  /** Files that the agent's editing tools changed, most edited first. What a shell command changes is not seen. */
  files: z.array(z.object({ path: z.string(), edits: z.int() })),
  /** Time from the request to the first byte of its reply; null when no exchange tells. */
  firstByteMs: z.object({ p50: z.number(), p95: z.number() }).nullable(),
  /** Time spent waiting for the model. */
  modelMs: z.number(),
  /** From the first request to the end of the last reply. */
  elapsedMs: z.number(),
  longest: z.array(
    z.object({
      kind: z.enum(['model', 'tool']),
      /** The model, or the tools that ran between two requests. */
      name: z.string(),
      exchangeId: z.string(),
      startedAt: z.iso.datetime(),
      durationMs: z.number(),
    }),
  ),
});
export type SessionReport = z.infer<typeof SessionReport>;

const Change = z.object({
  change: z.enum(['added', 'removed', 'changed']),
  name: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});
export type Change = z.infer<typeof Change>;

/** What one request says otherwise than the request before it in the same session. Texts are cut to a readable length. */
export const RequestChanges = z.object({
  exchange: Exchange,
  /** Null for the first request of a session: everything is new. */
  previousId: z.string().nullable(),
  /** Leading items of the conversation up to which both prompts are alike, of how many in each; 0 when already the model,
   * instructions or tools before them differ. */
  keptItems: z.int(),
  itemsBefore: z.int(),
  itemsAfter: z.int(),
  /** False when the provider's cache of the conversation could not serve: something before its end is not as it was. */
  prefixKept: z.boolean(),
  items: z.array(Change),
  tools: z.array(Change),
  settings: z.array(Change),
});
export type RequestChanges = z.infer<typeof RequestChanges>;

export const ExchangeEvents = z.object({
  exchange: Exchange,
  /** The request's body as sent, after content coding. Null when it was not kept. */
  request: z.string().nullable(),
  /** False when a secret was taken out of it. */
  requestExact: z.boolean(),
  /** Why the reply's events were not kept; null when they are all there. */
  omitted: z.enum(['redacted', 'tooLarge', 'neverRecorded']).nullable(),
  /** Events of the reply's stream in order; one for a reply in one piece. */
  events: z.array(z.object({ /** Since the request was sent. */ atMs: z.number(), text: z.string() })),
});
export type ExchangeEvents = z.infer<typeof ExchangeEvents>;

/** What stands in one line of a session's page. A tool's output stands with its call, where there is one. */
export const LineKind = z.enum([
  'prompt',
  'context',
  'instructions',
  'assistant',
  'reasoning',
  'tool',
  'output',
  'other',
]);
export type LineKind = z.infer<typeof LineKind>;

/** A file that a tool call names. */
export const TouchedFile = z.object({
  /** As the call names it: absolute, or relative to the agent's working directory. */
  path: z.string(),
  change: z.enum(['read', 'edited']),
  /** 1-based; null where the call does not tell. */
  line: z.int().min(1).nullable(),
  /** A line that the call wrote, by which the place is found when `line` is null. */
  text: z.string().nullable(),
});
export type TouchedFile = z.infer<typeof TouchedFile>;

export const ConversationLine = z.object({
  /** Its place among the lines of the session, from 0. It shifts when a request that began earlier is answered later. */
  number: z.int().min(0),
  kind: LineKind,
  toolName: z.string().nullable(),
  /** Of what a person or the agent said, the beginning; of anything else, its first line. */
  text: z.string(),
  /** Characters of the whole, and of the tool's output; null where there is none. */
  length: z.int(),
  outputLength: z.int().nullable(),
  /** Whether the output reports a non-zero exit code or an error. */
  failed: z.boolean(),
  files: z.array(TouchedFile),
});
export type ConversationLine = z.infer<typeof ConversationLine>;

const OutlineRow = z.object({ exchangeId: z.string(), kinds: z.array(LineKind) });

export const SessionOpening = z.object({
  session: SessionSummary,
  /** False: the sums of `session` and its end cover only what was read so far. */
  hasTotals: z.boolean(),
  /** The first ones. */
  exchanges: z.array(Exchange),
  rows: z.array(OutlineRow),
  /** From line 0 on. */
  lines: z.array(ConversationLine),
});
export type SessionOpening = z.infer<typeof SessionOpening>;

export const SearchHit = z.object({
  sessionId: z.string(),
  exchangeId: z.string().nullable(),
  title: z.string(),
  at: z.iso.datetime(),
  /** Text around the words, which stand between « and ». */
  snippet: z.string(),
});
export type SearchHit = z.infer<typeof SearchHit>;

/** What statistics can be grouped by. A day is a day in UTC, a week begins on a Monday. */
export const StatsKey = z.enum(['day', 'week', 'month', 'model', 'agent', 'session', 'repository']);
export type StatsKey = z.infer<typeof StatsKey>;

/** Only the keys that were grouped by are there; null or `unknown` where the traffic did not tell. */
export const StatsRow = z.object({
  day: z.string().optional(),
  /** Its first day. */
  week: z.string().optional(),
  /** `2026-01` */
  month: z.string().optional(),
  model: z.string().optional(),
  agent: z.string().nullable().optional(),
  session: z.string().optional(),
  repository: z.string().nullable().optional(),
  sessions: z.int(),
  exchanges: z.int(),
  /** Those of them that told no usage, failed ones among them: their tokens are in no sum. */
  withoutUsage: z.int().default(0),
  usage: Usage,
  /** Part of the input; null where none was told. */
  cacheWriteTokens: z.int().nullable().default(null),
  cost: Cost,
});
export type StatsRow = z.infer<typeof StatsRow>;

export const ExportFormat = z.enum(['clean', 'atif', 'otlp', 'html']);
export type ExportFormat = z.infer<typeof ExportFormat>;

/** The command line says which midnight it means; who asks over HTTP or MCP can give a time with its zone. */
const midnight = 'its midnight in your time zone; over HTTP and MCP in the server’s';
const since = pointInTime
  .optional()
  .describe(`Only what is newer: a date (2026-11-21, from ${midnight}) or an age (36h, 7d)`);
const sessionId = z
  .string()
  .min(1)
  .describe('Id of a session, 4 or more characters of its beginning, or latest; see `sessions list`');
const exchangeId = z
  .string()
  .min(1)
  .describe('Id of an exchange or its beginning, or of a session for its last one, such as latest');
const day = z.iso.date('expected a day, such as 2026-11-21');
const limit = (most: number, usual: number) =>
  z.coerce.number().int().min(1).max(most).default(usual).describe(`Rows at most (default ${usual})`);

/** Characters of all words together: the time that a search takes grows with their square. */
const longestSearch = 2000;

export const sessions = api('sessions', {
  list: request({
    summary: 'Recorded agent sessions, newest first.',
    params: z.object({
      limit: limit(500, 50),
      before: z.string().optional().describe('Cursor: `next` of the page before'),
      agent: z.string().optional().describe('Only of this agent, such as codex'),
      model: z.string().optional().describe('Only where this model answered'),
      repository: z.string().optional().describe('Only of agents that worked in this directory or below it'),
      since,
      text: z.string().optional().describe('Only with this text in the title; `sessions search` looks everywhere'),
      withoutReplays: z.boolean().optional().describe('None that a recording answered'),
    }),
    result: z.object({
      rows: z.array(SessionSummary),
      next: z.string().nullable(),
      /** Where nothing matches: what there is to be asked for. */
      known: z.object({ agents: z.array(z.string()), models: z.array(z.string()) }).optional(),
    }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  show: request({
    summary: 'One session: its exchanges and the conversation they add up to.',
    params: z.object({ sessionId }),
    result: z.object({
      session: SessionSummary,
      exchanges: z.array(Exchange),
      conversation: z.array(ConversationItem),
    }),
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['sessionId'],
  }),
  exchanges: request({
    summary: 'The exchanges of one session, without what was said in them.',
    params: z.object({ sessionId }),
    result: z.object({ session: SessionSummary, exchanges: z.array(Exchange) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  opening: request({
    summary: 'How a session begins, answered before all of a long one was read.',
    params: z.object({ sessionId }),
    result: SessionOpening,
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  /** How a long conversation is laid out before its texts are there. Lines are numbered through all exchanges. */
  outline: request({
    summary: 'What kinds of lines each exchange of a session brought, in order.',
    params: z.object({ sessionId }),
    result: z.object({ rows: z.array(OutlineRow) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  lines: request({
    summary: 'Some lines of a session’s conversation, each with the beginning of its text.',
    params: z.object({ sessionId, from: z.int().min(0), limit: z.int().min(1).max(500).default(100) }),
    result: z.object({ lines: z.array(ConversationLine) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  text: request({
    summary: 'What one line of a session says, and what its tool answered; cut to a readable length unless whole.',
    params: z.object({ sessionId, line: z.int().min(0), whole: z.boolean().default(false) }),
    result: z.object({ text: z.string(), output: z.string().nullable(), isCut: z.boolean() }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  find: request({
    summary: 'Lines of one session that hold a text, also in what their tools answered; without regard to case.',
    params: z.object({ sessionId, text: z.string().min(1).max(1000) }),
    result: z.object({ lines: z.array(z.int()) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  summary: request({
    summary: 'What one session came to: turns, tools, files, tokens, cost, waiting, the longest steps.',
    params: z.object({ sessionId }),
    result: SessionReport,
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['sessionId'],
  }),
  events: request({
    summary: 'One exchange as it went over the wire: the request text and the events of the reply with their times.',
    params: z.object({
      id: z
        .string()
        .min(1)
        .describe('Id of an exchange or its beginning, or of a session as elsewhere, such as latest'),
      number: z.coerce.number().int().min(1).optional().describe('Which exchange of a session (default: the last)'),
    }),
    result: ExchangeEvents,
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['id'],
  }),
  changes: request({
    summary: 'What changed between a request and the one before it: conversation items, tools, settings.',
    params: z.object({ exchangeId }),
    result: RequestChanges,
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['exchangeId'],
  }),
  search: request({
    summary: 'Full-text search over what was said in recorded sessions, and in the newest of Codex’s own files.',
    params: z
      .object({
        words: z.array(z.string().min(1)).min(1).describe('Words to find, all of them'),
        limit: limit(200, 20),
      })
      .refine(
        ({ words }) => words.join(' ').length <= longestSearch,
        `Words of at most ${longestSearch} characters together can be searched for`,
      ),
    result: z.object({ hits: z.array(SearchHit) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
    positional: ['words'],
  }),
  export: request({
    summary: 'Write one session out as cleaned JSON, ATIF 1.7, OpenTelemetry spans or one HTML page.',
    params: z.object({
      sessionId,
      format: ExportFormat.default('clean').describe('clean, atif, otlp or html'),
      output: z.string().optional().describe('File to write; without it the text is printed'),
      force: z.boolean().default(false).describe('Overwrite the file'),
      endpoint: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe('For otlp: a collector to send the spans to, such as http://127.0.0.1:4318/v1/traces'),
      content: z.boolean().default(false).describe('For otlp: put the messages into the spans, not only figures'),
    }),
    result: z.object({
      /** The file written or the endpoint that took it; null when the text is in `text`. */
      written: z.string().nullable(),
      sizeBytes: z.int(),
      text: z.string().nullable(),
    }),
    expose: ['http', 'cli'],
    positional: ['sessionId'],
  }),
  /** Exchanges in the order they were stored, for whoever follows; the cursor survives a restart of the server. */
  latest: request({
    summary: 'Exchanges stored after a cursor; without one, only the cursor of now.',
    params: z.object({ after: z.int().min(0).optional(), sessionId: z.string().optional() }),
    result: z.object({ rows: z.array(Exchange), next: z.int() }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  /** For a status bar: asked often, so it is cheap. */
  today: request({
    summary: 'Tokens and cost since midnight in the server’s time zone, replays aside.',
    params: z.object({}),
    result: z.object({ exchanges: z.int(), usage: Usage, cost: Cost }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  stats: request({
    summary:
      'Tokens, cache share and cost of what the proxy recorded, replays aside, by day, week, month, model, agent, session or repository.',
    params: z.object({
      days: z.coerce.number().int().min(1).max(3650).default(30).describe('The last so many days (UTC, default 30)'),
      since: day.optional().describe('From this day (UTC) on, such as 2026-11-21, whatever --days is'),
      until: day.optional().describe('Up to the end of this day (UTC)'),
      by: z
        .array(StatsKey)
        .min(1)
        .default(['day', 'model', 'agent'])
        .describe('day week month model agent session repository'),
    }),
    result: z.object({
      rows: z.array(StatsRow),
      /** All of them together: a session that stands in several rows counts once. */
      total: StatsRow.optional(),
    }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  prune: request({
    summary: 'Delete recorded sessions for good and shrink the database. Says what would go; deletes with --yes.',
    params: z.object({
      session: z.array(z.string().min(1)).optional().describe('These sessions'),
      before: pointInTime
        .optional()
        .describe('Those not active since: a date (2026-11-21, its midnight in your time zone) or an age (36h, 30d)'),
      all: z.boolean().default(false).describe('All of them'),
      yes: z.boolean().default(false).describe('Delete'),
    }),
    result: z.object({
      sessions: z.int(),
      /** Those of them of which Codex has a file of its own: it stays, and is listed. */
      codexFiles: z.int().default(0),
      /** Null when nothing was deleted yet. */
      deleted: z.object({ exchanges: z.int(), freedBytes: z.number() }).nullable(),
    }),
    expose: ['cli'],
  }),
  reprice: request({
    summary: 'Compute costs anew with the price list of this version.',
    params: z.object({}),
    result: z.object({ changed: z.int(), newlyPriced: z.int() }),
    expose: ['cli'],
  }),
  changed: event(SessionSummary),
});

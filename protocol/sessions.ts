import { z } from 'zod';
import { api, event, request } from './api.ts';
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
});
export type Exchange = z.infer<typeof Exchange>;

export const ConversationItem = z.object({
  /** The exchange that brought this item: as part of its request, or as its reply. */
  exchangeId: z.string(),
  kind: z.enum(['system', 'user', 'assistant', 'reasoning', 'toolCall', 'toolOutput', 'other']),
  text: z.string(),
  toolName: z.string().nullable(),
  callId: z.string().nullable(),
});
export type ConversationItem = z.infer<typeof ConversationItem>;

export const StatsRow = z.object({
  day: z.string(),
  model: z.string(),
  agent: z.string().nullable(),
  sessions: z.int(),
  exchanges: z.int(),
  usage: Usage,
  cost: Cost,
});
export type StatsRow = z.infer<typeof StatsRow>;

export const sessions = api('sessions', {
  list: request({
    summary: 'Recorded agent sessions, newest first.',
    params: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(50),
      before: z.string().optional().describe('Cursor: `next` of the page before'),
    }),
    result: z.object({ rows: z.array(SessionSummary), next: z.string().nullable() }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  show: request({
    summary: 'One session: its exchanges and the conversation they add up to.',
    params: z.object({ sessionId: z.string().min(1) }),
    result: z.object({
      session: SessionSummary,
      exchanges: z.array(Exchange),
      conversation: z.array(ConversationItem),
    }),
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['sessionId'],
  }),
  stats: request({
    summary: 'Tokens and cost by day, model and agent.',
    params: z.object({ days: z.coerce.number().int().min(1).max(3650).default(30) }),
    result: z.object({ rows: z.array(StatsRow) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  changed: event(SessionSummary),
});

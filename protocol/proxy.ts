import { z } from 'zod';
import { api, event, request } from './api.ts';

/** What may be spent on something; null is no limit. */
export const Budget = z.object({
  /** Input + output tokens. */
  tokens: z.int().positive().nullable(),
  /** Money where the price is known. */
  usd: z.number().positive().nullable(),
});
export type Budget = z.infer<typeof Budget>;

/** A limit that is nearly reached, or reached: then no request goes to a model any more. */
export const BudgetUse = z.object({
  scope: z.enum(['session', 'day', 'launch']),
  /** The session, the UTC day (`2026-01-31`), or the launch. */
  id: z.string(),
  unit: z.enum(['tokens', 'usd']),
  used: z.number(),
  limit: z.number(),
  state: z.enum(['near', 'spent']),
});
export type BudgetUse = z.infer<typeof BudgetUse>;

export const ProxyStatus = z.object({
  state: z.enum(['listening', 'stopped', 'failed']),
  host: z.string(),
  port: z.int().nullable(),
  /** Our certificate authority, and a bundle of the system's roots with it. */
  caFile: z.string(),
  bundleFile: z.string(),
  exchanges: z.int(),
  openConnections: z.int(),
  /** Connections that carried bytes to a model host without one exchange parsed: recording is broken. */
  uncaptured: z.int(),
  /** Limits that are near or reached, of this day and of what was active in it. */
  budgets: z.array(BudgetUse).default([]),
  error: z.string().nullable(),
});
export type ProxyStatus = z.infer<typeof ProxyStatus>;

/** Sends what an agent addresses to `host` to another place; the trace keeps `host`. */
export const UpstreamOverride = z.object({
  host: z.string().min(1),
  /** `http://…` or `https://…`, origin only. */
  target: z.url(),
  /** PEM of the authority that signs the target, beside the system's roots. */
  caFile: z.string().optional(),
});
export type UpstreamOverride = z.infer<typeof UpstreamOverride>;

export const Launch = z.object({
  /** Opaque; names this launch to the proxy (credentials in the proxy URL, first path part in the base URL). */
  token: z.string(),
  /** Variables to set; null removes a stale one. */
  env: z.record(z.string(), z.string().nullable()),
  baseUrl: z.string(),
  port: z.int(),
});
export type Launch = z.infer<typeof Launch>;

export const proxy = api('proxy', {
  status: request({
    summary: 'State of the recording proxy.',
    params: z.object({}),
    result: ProxyStatus,
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  start: request({
    summary: 'Start the recording proxy; answers its status when it listens already.',
    params: z.object({ port: z.coerce.number().int().min(0).max(65535).optional() }),
    result: ProxyStatus,
    expose: ['cli', 'http'],
  }),
  launch: request({
    summary: 'Starts the proxy if needed and answers the environment in which an agent is recorded.',
    params: z.object({
      agent: z.string().min(1),
      label: z.string().optional(),
      overrides: z.array(UpstreamOverride).default([]),
      /** Where base-URL requests go instead of the agent's own API, such as `http://localhost:11434`. */
      endpoint: z.string().optional(),
      /** The exchanges of this launch cost nothing: they are answered from a recording. */
      replay: z.boolean().default(false),
      /** Limits of this launch alone. */
      budget: Budget.optional(),
    }),
    result: Launch,
  }),
  environment: request({
    summary:
      'The environment for a shell whose agents are to be recorded: no launch, so the sessions tell whose they are.',
    params: z.object({}),
    result: z.object({ env: z.record(z.string(), z.string().nullable()) }),
    readOnly: true,
  }),
  close: request({
    summary:
      'Forgets a launch: its token is refused from then on. Answers the sessions it was recorded under, oldest first.',
    params: z.object({ token: z.string() }),
    result: z.object({ closed: z.boolean(), sessionIds: z.array(z.string()) }),
  }),
  test: request({
    summary: 'Checks the route: proxy, certificate, interception, database.',
    params: z.object({}),
    result: z.object({
      ok: z.boolean(),
      steps: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    }),
    expose: ['cli'],
    readOnly: true,
  }),
  changed: event(ProxyStatus),
});

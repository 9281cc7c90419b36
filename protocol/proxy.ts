import * as z from 'zod';
import { api, event, request } from './api.ts';
import { maxSecretVariables } from './secretVariables.ts';

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
  /** How much of it was used in sessions that were deleted since: no list or sum of sessions shows it. */
  deleted: z.number().optional(),
  state: z.enum(['near', 'spent']),
});
export type BudgetUse = z.infer<typeof BudgetUse>;

/** A limit in force: on everything of this UTC day, or on each session. */
export const BudgetLimit = z.object({
  scope: z.enum(['session', 'day']),
  unit: z.enum(['tokens', 'usd']),
  limit: z.number(),
  /** On this day so far; null where that is not known, and of sessions, as each has its own. */
  used: z.number().nullable(),
});
export type BudgetLimit = z.infer<typeof BudgetLimit>;

/** What went unrecorded on this UTC day, also before this server was started. */
export const DayLosses = z.object({
  /** Connections or exchanges; each connection counts once per reason. */
  count: z.int(),
  lastHost: z.string(),
  lastReason: z.string(),
  lastAt: z.string(),
});
export type DayLosses = z.infer<typeof DayLosses>;

/** What is, or was, wrong with where traces are stored. What it lost is counted as `uncaptured`. */
export const RecordingFault = z.object({
  fault: z.enum(['full', 'locked', 'readOnly', 'damaged', 'failed', 'replaced']),
  reason: z.string(),
  /** Recording has resumed. */
  over: z.boolean(),
});
export type RecordingFault = z.infer<typeof RecordingFault>;

/** A program that gave up connections to a model host when it had seen our certificate. */
export const Distrust = z.object({ host: z.string(), program: z.string(), connections: z.int() });
export type Distrust = z.infer<typeof Distrust>;

/** Exchanges that met a limit which does not count them: in money for want of a price, in any unit for want of usage. */
export const UncountedSpend = z.object({
  model: z.string(),
  exchanges: z.int(),
  lacks: z.enum(['price', 'usage']).default('price'),
});
export type UncountedSpend = z.infer<typeof UncountedSpend>;

/** A model host that could not be reached when that was last tried, or the proxy on the way to it. */
export const Unreached = z.object({
  host: z.string(),
  reason: z.string(),
  hint: z.string().nullable(),
  /** When that was. */
  at: z.string(),
});
export type Unreached = z.infer<typeof Unreached>;

export const ProxyStatus = z.object({
  state: z.enum(['listening', 'stopped', 'failed']),
  host: z.string(),
  port: z.int().nullable(),
  /** Our certificate authority, and a bundle of the system's roots with it. */
  caFile: z.string(),
  bundleFile: z.string(),
  exchanges: z.int(),
  openConnections: z.int(),
  /** Connections and exchanges that this server could not record. */
  uncaptured: z.int(),
  /** Limits that are near or reached, of this day and of what was active in it. */
  budgets: z.array(BudgetUse).default([]),
  /** What the settings limit, used up or not; absent from an older server. */
  limits: z.array(BudgetLimit).optional(),
  /** Models that are used under a limit which does not count them. */
  uncounted: z.array(UncountedSpend).default([]),
  lossesToday: DayLosses.nullable().default(null),
  recordingFault: RecordingFault.nullable().default(null),
  distrusting: z.array(Distrust).default([]),
  /** Of the last hour. */
  unreached: z.array(Unreached).default([]),
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

/** Hosts of model APIs: what goes to them is decrypted and recorded. Everything else passes blind. Exact names. */
export const modelHosts: readonly string[] = [
  'api.openai.com',
  'chatgpt.com',
  'api.anthropic.com',
  'generativelanguage.googleapis.com',
  'cloudcode-pa.googleapis.com',
  'openrouter.ai',
  'api.deepseek.com',
  'api.mistral.ai',
  'api.groq.com',
  'api.x.ai',
  'dashscope.aliyuncs.com',
  'api.githubcopilot.com',
];

/** Variables in which people name their agents' model API. */
export const baseUrlVariables: readonly string[] = [
  'OPENAI_BASE_URL',
  'OPENAI_API_BASE',
  'OPENAI_API_HOST',
  'OPENAI_HOST',
  'ANTHROPIC_BASE_URL',
  'GOOGLE_GEMINI_BASE_URL',
];

/** Base URLs that this environment names, by variable. */
export function baseUrlsOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(baseUrlVariables.flatMap(name => (env[name] ? [[name, env[name]]] : [])));
}

/** Hosts to which this environment names no proxy. */
export function noProxyOf(env: Readonly<Record<string, string | undefined>>): string {
  return env['NO_PROXY'] || env['no_proxy'] || '';
}

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
      /** Answers every model host from a recording: `session:<id>`, or the absolute path of a file. */
      recording: z
        .object({
          reference: z.string().min(1),
          /** Factor on the recorded times: 1 as it was, 0 at once. */
          pace: z.number().min(0).default(0),
        })
        .optional(),
      /** The caller's own NO_PROXY: what covers no model host is kept. */
      noProxy: z.string().default(''),
      /** The process that closes the launch; one that is gone leaves nothing behind for the next server. */
      pid: z.int().positive().optional(),
      /** Where the agent is started, absolute: the repository of sessions in which it says nothing else. */
      directory: z.string().optional(),
      /** The caller's own base URLs, by variable: the agent goes on to where they lead, recorded. Others are stale. */
      baseUrls: z.record(z.string(), z.string()).optional(),
      /** Base URLs of the agent's own configuration, by setting: the same. */
      settings: z.record(z.string(), z.string()).optional(),
      /** Secret values of the caller's environment: hidden in all that is written from now on, and kept in memory only. */
      secrets: z.array(z.string()).max(maxSecretVariables).optional(),
      /** Limits of this launch alone. */
      budget: Budget.optional(),
    }),
    result: Launch.extend({
      /** What the agent's configuration has to say instead, by setting. */
      settings: z.record(z.string(), z.string()).default({}),
    }),
  }),
  environment: request({
    summary:
      'The environment for a shell whose agents are to be recorded, and whose sessions tell whose they are. Only base URLs that are not recorded by themselves take a launch.',
    params: z.object({
      /** These as of a launch. */
      noProxy: z.string().default(''),
      pid: z.int().positive().optional(),
      baseUrls: z.record(z.string(), z.string()).default({}),
      settings: z.record(z.string(), z.string()).default({}),
      secrets: z.array(z.string()).max(maxSecretVariables).optional(),
    }),
    result: z.object({
      env: z.record(z.string(), z.string().nullable()),
      settings: z.record(z.string(), z.string()).default({}),
      /** To close when the shell is gone; null without a launch. */
      token: z.string().nullable().default(null),
    }),
  }),
  close: request({
    summary:
      'Forgets a launch: its token is refused from then on. Answers the sessions it was recorded under, oldest first.',
    params: z.object({ token: z.string() }),
    result: z.object({
      closed: z.boolean(),
      sessionIds: z.array(z.string()),
      /** Where the agent left its recording, in words. */
      mismatches: z.array(z.string()).default([]),
      /** Model hosts that it did not reach in the end. */
      unreached: z.array(Unreached).default([]),
    }),
  }),
  test: request({
    summary: 'Checks the route: proxy (started where it does not listen), certificate, interception, database.',
    params: z.object({}),
    result: z.object({
      ok: z.boolean(),
      steps: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
    }),
    expose: ['cli'],
    isFailure: ({ ok }) => !ok,
  }),
  changed: event(ProxyStatus),
});

import * as z from 'zod';
import { api, event, request } from './api.ts';

export const AgentInfo = z.object({
  id: z.string(),
  title: z.string(),
  /** Version that we install and have tested; null for agents that need no install. */
  pinnedVersion: z.string().nullable(),
  installed: z.boolean(),
  /** The program to run, once installed. */
  path: z.string().nullable(),
});
export type AgentInfo = z.infer<typeof AgentInfo>;

export const ExecutorInfo = z.object({
  id: z.string(),
  title: z.string(),
  available: z.boolean(),
  /** Version and place when available; else what is missing and the next step. */
  detail: z.string(),
  notIsolated: z.array(z.string()),
});
export type ExecutorInfo = z.infer<typeof ExecutorInfo>;

export const agents = api('agents', {
  list: request({
    summary: 'Agents that can be run, and whether they are installed.',
    params: z.object({}),
    result: z.object({ rows: z.array(AgentInfo) }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  install: request({
    summary: 'Install the pinned version of an agent into the cache; answers at once when it is there.',
    params: z.object({ agent: z.string().min(1) }),
    result: AgentInfo,
    expose: ['webview', 'http', 'cli'],
    positional: ['agent'],
  }),
  executors: request({
    summary: 'Sandboxes that this machine offers.',
    params: z.object({}),
    result: z.object({ rows: z.array(ExecutorInfo), default: z.string() }),
    expose: ['webview', 'http', 'mcp', 'cli'],
    readOnly: true,
  }),
  installProgress: event(z.object({ agent: z.string(), text: z.string() })),
});

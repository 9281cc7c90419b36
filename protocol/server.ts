import * as z from 'zod';
import { api, request } from './api.ts';

export const ServerInfo = z.object({
  version: z.string(),
  pid: z.int(),
  home: z.string(),
  startedAt: z.iso.datetime(),
  clients: z.int(),
  runningTrials: z.int(),
  log: z.string(),
  /** Origin of the proxy of the outer world in the server's own environment: the way it reaches model hosts. */
  outerProxy: z.string().nullable().default(null),
  /** Variables of the server's environment that hold for whoever uses it, each with a fingerprint of its value. */
  settings: z.record(z.string(), z.string()).default({}),
});
export type ServerInfo = z.infer<typeof ServerInfo>;

/** What the server's process is started with, on top of the environment of whoever starts it. */
export function serverEnvironment(home: string): Readonly<Record<string, string>> {
  return {
    COACH_HOME: home,
    // In an editor the program that starts it is Electron.
    ELECTRON_RUN_AS_NODE: '1',
    // What the compiler would take to read the program stays with the process for good: 20 MB.
    NODE_COMPILE_CACHE: `${home}/cache/compiled`,
    // Bytes that glibc may keep of what was freed; by default that grows with the largest block ever freed.
    MALLOC_TRIM_THRESHOLD_: '1048576',
  };
}

/** The background server itself. `hello` is the first request of every connection; nothing else is answered before. */
export const server = api('server', {
  hello: request({
    summary: 'Introduces a client: the token from server.token, its version and what it is.',
    params: z.object({
      token: z.string(),
      version: z.string(),
      client: z.enum(['editor', 'cli', 'mcp', 'http', 'test']),
    }),
    result: ServerInfo,
  }),
  status: request({
    summary: 'The background server: version, process, clients, running trials.',
    params: z.object({}),
    result: ServerInfo,
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
  }),
  stop: request({
    summary: 'Stop the background server. Running trials are cancelled unless --idle or --drain, which then refuse.',
    params: z.object({
      idle: z.boolean().default(false).describe('Only when nothing else uses it'),
      drain: z.boolean().default(false).describe('Only when no trial runs and no agent is being recorded'),
    }),
    result: z.object({ stopping: z.boolean() }),
  }),
});

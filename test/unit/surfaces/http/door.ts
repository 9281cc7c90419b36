import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import * as z from 'zod';
import { api, event, type Handlers, publish, request, serve } from '../../../../protocol/api.ts';
import { channelPair } from '../../../../protocol/channels/pair.ts';
import { CoachError } from '../../../../protocol/errors.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { publishedOf } from '../../../../server/surfaces/http/events.ts';
import { listenHttp } from '../../../../server/surfaces/http/listener.ts';
import { routesOf } from '../../../../server/surfaces/http/routes.ts';

/** A small api with one request of each kind. */
export const things = api('things', {
  list: request({
    summary: 'Things.',
    params: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(50),
      open: z.boolean().default(false),
      words: z.array(z.string()).default([]),
      repository: z.string().optional(),
    }),
    result: z.object({ asked: z.unknown() }),
    expose: ['http'],
    readOnly: true,
  }),
  make: request({
    summary: 'Makes a thing.',
    params: z.object({ repository: z.string().min(1), title: z.string() }),
    result: z.object({ asked: z.unknown() }),
    expose: ['http'],
  }),
  buyOne: request({
    summary: 'Buys a thing.',
    params: z.object({ name: z.string().default('any') }),
    result: z.object({ asked: z.unknown() }),
    expose: ['http'],
    spends: true,
  }),
  wait: request({ summary: 'Until cancelled.', params: z.object({}), result: z.object({}), expose: ['http'] }),
  fail: request({ summary: 'Fails.', params: z.object({}), result: z.object({}), expose: ['http'] }),
  secret: request({ summary: 'Not for HTTP.', params: z.object({}), result: z.object({}), expose: ['cli'] }),
  ticked: event(z.object({ count: z.int() })),
});

export const token = 'a'.repeat(64);

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: unknown;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
}

/** The HTTP door before an api whose answers say what was asked; gone after the test. */
export async function aDoor() {
  const [near, far] = channelPair();
  const cancelled = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const handlers: Handlers<typeof things> = {
    list: asked => ({ asked }),
    make: asked => ({ asked }),
    buyOne: asked => ({ asked }),
    wait: (_, signal) =>
      new Promise((_resolve, reject) => {
        waiting.resolve();
        signal.addEventListener('abort', () => {
          cancelled.resolve();
          reject(signal.reason);
        });
      }),
    fail: () => {
      throw new CoachError('run.missing', 'No run x.', { hint: 'See: codex-coach runs list' });
    },
    secret: () => ({}),
  };
  serve(things, handlers, far);
  const published = publishedOf([things], near);
  const listener = await listenHttp(0, { routes: routesOf([things], near), published, token, log: silentLog });
  onTestFinished(() => listener.close());
  return {
    port: listener.port,
    close: listener.close,
    waiting: waiting.promise,
    cancelled: cancelled.promise,
    tick: (count: number) => publish(things, far, 'ticked', { count }),
    ask: (path: string, sent: Sent = {}) => ask(listener.port, path, sent),
    /** Shows the token, and sends a body as JSON. */
    known: (path: string, sent: Sent = {}) =>
      ask(listener.port, path, {
        ...sent,
        headers: {
          authorization: `Bearer ${token}`,
          ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...sent.headers,
        },
      }),
    raw: (text: string) => raw(listener.port, text),
  };
}

function ask(port: number, path: string, { method = 'GET', headers = {}, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type'] === 'application/json';
        const json: unknown = isJson && text !== '' ? JSON.parse(text) : null;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are, and answers what comes back until the connection ends. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => void socket.end(text));
    const chunks: Buffer[] = [];
    socket.on('data', chunk => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

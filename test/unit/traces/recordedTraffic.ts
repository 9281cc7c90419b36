import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Tap } from '../../../server/traces/recorder/recorder.ts';
import { RecorderCore } from '../../../server/traces/recorder/recorderCore.ts';
import type {
  ConnectionOrigin,
  RecorderEvent,
  RecorderMessage,
} from '../../../server/traces/recorder/recorderMessages.ts';
import { TraceStore } from '../../../server/traces/store.ts';
import type { UpkeepReport, UpkeepTask } from '../../../server/traces/upkeep/upkeepTask.ts';
import { temporaryDirectory } from '../../temporary.ts';

export function anOrigin(changes: Partial<ConnectionOrigin> = {}): ConnectionOrigin {
  return { host: 'api.openai.com', port: 443, scheme: 'https', launch: null, ...changes };
}

export interface Traffic {
  readonly request: object;
  /** Body of the response: an event stream when it starts with `data:`, else JSON. */
  readonly response: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
}

export function sse(...events: object[]): string {
  return events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('');
}

/** The reply of the Responses API with these items. */
export function aReply(output: readonly object[], usage: object = { input_tokens: 10, output_tokens: 5 }): string {
  const id = `resp_${Math.random().toString(36).slice(2)}`;
  return sse({ type: 'response.completed', response: { id, status: 'completed', model: 'gpt-5.5', output, usage } });
}

export const said = (role: 'user' | 'assistant', text: string) => ({
  type: 'message',
  role,
  content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
});

/** The bytes of one request and its response, as on the wire. */
export function wireOf({ request, response, path = '/v1/responses', headers = {}, status = 200 }: Traffic) {
  const body = Buffer.from(JSON.stringify(request));
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const type = response.startsWith('data:') ? 'text/event-stream' : 'application/json';
  const reply = Buffer.from(response);
  return {
    up: Buffer.concat([
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\n${more.join('')}Content-Length: ${body.length}\r\n\r\n`),
      body,
    ]),
    down: Buffer.concat([
      Buffer.from(`HTTP/1.1 ${status} X\r\nContent-Type: ${type}\r\nContent-Length: ${reply.length}\r\n\r\n`),
      reply,
    ]),
  };
}

export function feed(tap: Tap, traffic: Traffic): void {
  const { up, down } = wireOf(traffic);
  tap.bytes('up', up);
  tap.bytes('down', down);
  tap.close();
}

/** A recorder without thread or clock, and its database. */
export function aRecorder(idleMs = 120_000, directory = temporaryDirectory()) {
  const file = join(directory, 'traces.sqlite3');
  const events: RecorderEvent[] = [];
  const upkeeps: ((report: UpkeepReport | null) => void)[] = [];
  const core = new RecorderCore(file, idleMs, answer => {
    if (answer.kind === 'event') events.push(answer.event);
    if (answer.kind === 'upkept') upkeeps.shift()?.(answer.report);
  });
  const store = new TraceStore(file);
  let stopped = false;
  const stop = () => {
    if (!stopped) core.accept({ kind: 'stop' });
    stopped = true;
  };
  onTestFinished(() => {
    stop();
    store.dispose();
  });
  let last = 0;
  const accept = (message: RecorderMessage) => core.accept(message);
  return {
    directory,
    file,
    events,
    store,
    stop,
    accept,
    upkeep: (task: UpkeepTask) =>
      new Promise<UpkeepReport | null>(resolve => {
        upkeeps.push(resolve);
        accept({ kind: 'upkeep', id: 1, task });
      }),
    /** Records one exchange at a time (epoch ms) and returns its session. */
    record(traffic: Traffic, atMs = Date.now(), origin = anOrigin()): string {
      const connection = ++last;
      const { up, down } = wireOf(traffic);
      accept({ kind: 'open', connection, origin });
      accept({ kind: 'bytes', connection, direction: 'up', bytes: up, atMs });
      accept({ kind: 'bytes', connection, direction: 'down', bytes: down, atMs: atMs + 10 });
      accept({ kind: 'close', connection, atMs: atMs + 10 });
      const exchange = events.findLast(event => event.kind === 'exchange');
      if (exchange === undefined) throw new Error(`Nothing recorded: ${JSON.stringify(events)}`);
      return exchange.sessionId;
    },
  };
}

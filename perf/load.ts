// The agent of every measurement, a process of its own: raw HTTP/1.1 over CONNECT and TLS.
import type { TLSSocket } from 'node:tls';
import { serveCalls } from './calls.ts';
import { openWay, type Way } from './connection.ts';
import { type Message, MessageCutter } from './messages.ts';
import { type Asked, jsonReply, nowNs, pathOf, requestBody } from './traffic.ts';

/** Requests per session: agents open a new conversation now and then. */
const requestsPerSession = 50;

export interface Timing {
  readonly timesUs: number[];
  readonly elapsedMs: number;
}

class Client {
  readonly #socket: TLSSocket;
  readonly #way: Way;
  #done: ((message: Message) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;
  #onData: ((chunk: Buffer) => void) | null = null;

  static async open(way: Way): Promise<Client> {
    return new Client(await openWay(way), way);
  }

  constructor(socket: TLSSocket, way: Way) {
    this.#socket = socket;
    this.#way = way;
    const cutter = new MessageCutter(message => this.#done?.(message));
    socket.on('data', chunk => {
      this.#onData?.(chunk);
      cutter.push(chunk);
    });
    const ended = () => this.#fail?.(new Error('The connection ended before its reply.'));
    socket.on('error', ended);
    socket.on('close', ended);
  }

  get socket(): TLSSocket {
    return this.#socket;
  }

  /** Writes the request only. */
  send(asked: Asked, session: string, body: string): void {
    this.#socket.write(
      `POST ${pathOf(asked)} HTTP/1.1\r\nHost: ${this.#way.hostHeader}\r\nsession_id: ${session}\r\n` +
        `user-agent: codex_perf/1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }

  ask(asked: Asked, session: string, body: string, onData: ((chunk: Buffer) => void) | null = null): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.#done = resolve;
      this.#fail = reject;
      this.#onData = onData;
      this.send(asked, session, body);
    });
  }

  close(): void {
    this.#fail = null;
    this.#socket.destroy();
  }
}

interface Requests {
  readonly way: Way;
  readonly run: string;
  readonly count: number;
  readonly connections: number;
  readonly sizeBytes: number;
}

async function requests({ way, run, count, connections, sizeBytes }: Requests): Promise<Timing> {
  const clients = await Promise.all(Array.from({ length: connections }, () => Client.open(way)));
  const timesUs: number[] = [];
  let next = 0;
  const work = async (client: Client) => {
    while (next < count) {
      const number = next++;
      const body = requestBody(`${run}-${number}`, sizeBytes);
      const startedNs = nowNs();
      const reply = await client.ask({ reply: 'json' }, `${run}-${Math.floor(number / requestsPerSession)}`, body);
      timesUs.push((nowNs() - startedNs) / 1000);
      if (reply.body !== jsonReply)
        throw new Error(`A reply came back changed: ${reply.head.split('\r\n')[0]} ${reply.body.slice(0, 80)}`);
    }
  };
  const startedNs = nowNs();
  await Promise.all(clients.map(work));
  const elapsedMs = (nowNs() - startedNs) / 1e6;
  for (const client of clients) client.close();
  return { timesUs, elapsedMs };
}

interface Bursts {
  readonly way: Way;
  readonly run: string;
  readonly count: number;
  readonly events: number;
}

/** Time to the first event and to the end of each stream, in microseconds. */
async function bursts({ way, run, count, events }: Bursts): Promise<{ firstUs: number[]; totalUs: number[] }> {
  const client = await Client.open(way);
  const firstUs: number[] = [];
  const totalUs: number[] = [];
  for (let number = 0; number < count; number++) {
    const startedNs = nowNs();
    let firstNs = 0;
    const { body } = await client.ask(
      { reply: 'burst', events },
      `${run}-0`,
      requestBody(`${run}-${number}`, 0),
      chunk => {
        if (firstNs === 0 && chunk.includes('data: ')) firstNs = nowNs();
      },
    );
    totalUs.push((nowNs() - startedNs) / 1000);
    firstUs.push((firstNs - startedNs) / 1000);
    if (body.split('event: ').length !== events + 2) throw new Error('Events of a stream are missing.');
  }
  client.close();
  return { firstUs, totalUs };
}

/** One-way delay of each event of a stream with gaps, in microseconds. */
async function paced({ way, run, count, events, gapMs }: Bursts & { gapMs: number }): Promise<number[]> {
  const delaysUs: number[] = [];
  await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const client = await Client.open(way);
      const asked = { reply: 'paced', events, gapMs } as const;
      const onData = eventTimes(({ sentNs, receivedNs }) => delaysUs.push((receivedNs - sentNs) / 1000));
      await client.ask(asked, `${run}-${number}`, requestBody(`${run}-${number}`, 0), onData);
      client.close();
    }),
  );
  return delaysUs;
}

interface EventTimes {
  readonly sentNs: number;
  readonly receivedNs: number;
}

function eventTimes(hear: (times: EventTimes) => void): (chunk: Buffer) => void {
  let text = '';
  return chunk => {
    const receivedNs = nowNs();
    text += chunk.toString('latin1');
    for (const [, stamp] of text.matchAll(/"stamp":"(\d+)"/g)) hear({ sentNs: Number(stamp), receivedNs });
    text = text.slice(text.lastIndexOf('"stamp":"') + 10);
  };
}

let watched: { readonly client: Client; readonly events: EventTimes[] } | null = null;

/** Follows a stream of frequent events until `unwatch`. Resolves with its first event. */
async function watch({ way, run, gapMs }: { way: Way; run: string; gapMs: number }): Promise<void> {
  const client = await Client.open(way);
  const events: EventTimes[] = [];
  watched = { client, events };
  await new Promise<void>((resolve, reject) => {
    const onData = eventTimes(times => {
      events.push(times);
      resolve();
    });
    const asked = { reply: 'paced', events: 1_000_000, gapMs } as const;
    client.ask(asked, run, requestBody(run, 0), onData).catch(reject);
  });
}

function unwatch(): EventTimes[] {
  watched?.client.close();
  const { events = [] } = watched ?? {};
  watched = null;
  return events;
}

interface Span {
  readonly startedNs: number;
  readonly endedNs: number;
}

/** CONNECT and TLS handshake, one after the other. */
async function handshakes(ways: readonly Way[]): Promise<Span[]> {
  const spans: Span[] = [];
  for (const way of ways) {
    const startedNs = nowNs();
    const socket = await openWay(way);
    spans.push({ startedNs, endedNs: nowNs() });
    socket.destroy();
  }
  return spans;
}

/** Leaves in the middle of a stream; when, in nanoseconds. */
async function abort({ way, run }: { way: Way; run: string }): Promise<number> {
  const socket = await openWay(way);
  const client = new Client(socket, way);
  client.send({ reply: 'idle' }, run, requestBody(run, 0));
  await new Promise<void>(resolve => socket.once('data', () => resolve()));
  const atNs = nowNs();
  client.close();
  return atNs;
}

const held: TLSSocket[] = [];

/** Asks for a large reply and does not read it. */
async function stall({ way, run, sizeBytes }: { way: Way; run: string; sizeBytes: number }): Promise<void> {
  const socket = await openWay(way);
  const client = new Client(socket, way);
  client.send({ reply: 'large', sizeBytes }, run, requestBody(run, 0));
  socket.pause();
  held.push(socket);
}

/** Streams that stay open after their first event. Resolves with how many brought it. */
async function idle({ way, run, count }: { way: Way; run: string; count: number }): Promise<number> {
  let first = 0;
  const openOne = async (number: number) => {
    const socket = await openWay(way);
    const client = new Client(socket, way);
    held.push(socket);
    const arrived = new Promise<void>(resolve => socket.once('data', () => resolve()));
    client.send({ reply: 'idle' }, `${run}-${number}`, requestBody(`${run}-${number}`, 0));
    const timedOut = new Promise<'late'>(resolve => setTimeout(resolve, 5000, 'late').unref());
    if ((await Promise.race([arrived, timedOut])) !== 'late') first++;
  };
  const width = 50;
  for (let start = 0; start < count; start += width) {
    await Promise.all(Array.from({ length: Math.min(width, count - start) }, (_, at) => openOne(start + at)));
  }
  return first;
}

const handlers = {
  requests,
  bursts,
  paced,
  watch,
  unwatch,
  handshakes,
  abort,
  stall,
  idle,
  alive: () => held.filter(socket => !socket.destroyed).length,
  release: () => {
    for (const socket of held.splice(0)) socket.destroy();
  },
};
export type Load = typeof handlers;
serveCalls(handlers);

import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { startRecorder } from '../../../../server/traces/recorder/recorder.ts';
import type { RecorderEvent } from '../../../../server/traces/recorder/recorderMessages.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { anOrigin, aRecorder, aReply, said, wireOf } from '../recordedTraffic.ts';

const traffic = (text: string) => {
  const wire = wireOf({
    request: { model: 'm', input: [said('user', text)] },
    response: aReply([]),
    headers: { 'thread-id': 'a' },
  });
  const up = wire.up.toString('latin1').replace(/^([^\r]+\r\n)(?:host:[^\r]*\r\n)?/i, '$1Host: api.openai.com\r\n');
  return { up: Buffer.from(up, 'latin1'), down: wire.down };
};

/** One connection of which we leave out what we like. */
function aConnection() {
  const recorder = aRecorder();
  const connection = 1;
  recorder.accept({ kind: 'open', connection, origin: anOrigin() });
  const push = (direction: 'up' | 'down', bytes: Uint8Array) =>
    recorder.accept({ kind: 'bytes', connection, direction, bytes, atMs: Date.now() });
  return {
    ...recorder,
    push,
    pass({ up, down }: { up: Buffer; down: Buffer }) {
      push('up', up);
      push('down', down);
    },
    gap: () => recorder.accept({ kind: 'gap', connection, reason: 'the recorder cannot keep up' }),
    close: () => recorder.accept({ kind: 'close', connection, atMs: Date.now() }),
    recorded: () => recorder.events.filter(event => event.kind === 'exchange').length,
    lost: () => recorder.events.filter(event => event.kind === 'uncaptured'),
  };
}

/** A frame of at most 65,535 bytes. */
function frame(text: string, sender: 'client' | 'server'): Buffer {
  const payload = Buffer.from(text);
  const masked = sender === 'client' ? 0x80 : 0;
  const head = Buffer.from([0x81, masked | 126, payload.length >> 8, payload.length & 255]);
  if (sender === 'server') return Buffer.concat([head, payload]);
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0))]);
}

const upgrade = (extensions: string) => ({
  up: Buffer.from('GET /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nUpgrade: websocket\r\n\r\n'),
  down: Buffer.from(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n${extensions}\r\n`),
});
const turn = (text: string) => {
  const create = { type: 'response.create', model: 'm', input: [said('user', text.repeat(200))] };
  const completed = {
    type: 'response.completed',
    response: { id: 'r', output: [said('assistant', text.repeat(200))] },
  };
  return { up: frame(JSON.stringify(create), 'client'), down: frame(JSON.stringify(completed), 'server') };
};

describe('a connection of which bytes are missing', () => {
  it('is recorded again from its next request on, wherever the gap was', () => {
    const first = traffic('first');
    const second = traffic('second');
    const parts: ['up' | 'down', Buffer][] = [first, second].flatMap(({ up, down }) => [
      ['up', up.subarray(0, 200)] as ['up', Buffer],
      ['up', up.subarray(200)] as ['up', Buffer],
      ['down', down.subarray(0, 30)] as ['down', Buffer],
      ['down', down.subarray(30)] as ['down', Buffer],
    ]);
    for (let from = 0; from < 4; from++) {
      for (let to = from + 1; to <= 4; to++) {
        const { push, pass, gap, close, recorded, lost, store } = aConnection();
        for (const [index, [direction, bytes]] of parts.entries()) {
          if (index === from) gap();
          if (index < from || index >= to) push(direction, bytes);
        }
        pass(traffic('third'));
        close();
        expect([from, to, recorded(), lost().length]).toEqual([from, to, 2, 1]);
        expect(store.conversation('a').flatMap(({ kind, text }) => (kind === 'user' ? [text] : []))).toEqual([
          'second',
          'third',
        ]);
      }
    }
  });

  it('does not take a text about HTTP, or a request to another host, for its next request', () => {
    const { push, pass, gap, close, recorded, lost } = aConnection();
    gap();
    push('up', Buffer.from('POST /v1/responses HTTP/1.1 is how a request begins.\r\nHost: api.openai.com\r\n\r\n'));
    push('up', Buffer.from('POST /v1/responses HTTP/1.1\r\nHost: example.com\r\n\r\n'));
    push('up', Buffer.from('POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: 2\r\n\r\n{}'));
    push('down', Buffer.from('data: still the reply before\n\n'));
    pass(traffic('next'));
    close();
    expect([recorded(), lost().length]).toEqual([1, 1]);
  });

  it.each([
    ['in the request', 'up'],
    ['in the reply', 'down'],
  ] as const)('that is a WebSocket is recorded again from its next message on: %s', (_where, direction) => {
    const { push, pass, gap, close, recorded, lost } = aConnection();
    pass(upgrade(''));
    pass(turn('one'));
    const cut = turn('two');
    if (direction === 'down') push('up', cut.up);
    push(direction, cut[direction].subarray(0, 300));
    gap();
    push(direction, cut[direction].subarray(600));
    if (direction === 'up') push('down', cut.down);
    push('down', Buffer.from([0x89, 0]));
    push('up', Buffer.from([0x8a, 0x80, 1, 2, 3, 4]));
    pass(turn('three'));
    pass(turn('four'));
    close();
    expect([recorded(), lost().length]).toEqual([3, 1]);
  });

  it('says so when its messages are compressed with those that are missing', () => {
    const { pass, gap, lost } = aConnection();
    pass(upgrade('Sec-WebSocket-Extensions: permessage-deflate\r\n'));
    gap();
    expect(lost()).toEqual([
      expect.objectContaining({ reason: 'the recorder cannot keep up' }),
      expect.objectContaining({ reason: expect.stringContaining('compressed') }),
    ]);
  });

  it('that was opened before the recorder crashed is recorded again, also a WebSocket', () => {
    const { accept, events } = aRecorder();
    const open = (connection: number, resumed: { up: Buffer | null; down: Buffer | null }) =>
      accept({ kind: 'open', connection, origin: anOrigin(), resumed });
    open(1, { up: null, down: null });
    open(2, upgrade(''));
    for (const [connection, { up, down }] of [traffic('http'), turn('socket')].entries()) {
      accept({ kind: 'bytes', connection: connection + 1, direction: 'up', bytes: up, atMs: 1 });
      accept({ kind: 'bytes', connection: connection + 1, direction: 'down', bytes: down, atMs: 2 });
      accept({ kind: 'close', connection: connection + 1, atMs: 3 });
    }
    expect(events.filter(event => event.kind === 'exchange')).toHaveLength(2);
    expect(events.filter(event => event.kind === 'uncaptured')).toEqual([]);
  });
});

describe('what was lost', () => {
  it('is counted in the database by day, host and reason, without what was said', () => {
    const { accept, store } = aRecorder();
    for (const connection of [1, 2]) {
      accept({ kind: 'open', connection, origin: anOrigin() });
      const bytes = Buffer.from(`secret ${connection} is no HTTP\r\n\r\n`);
      accept({ kind: 'bytes', connection, direction: 'up', bytes, atMs: 1 });
    }
    accept({ kind: 'lost', host: '*', reason: 'The recorder stopped: as ordered' });
    const losses = store.lossesOnDay(new Date().toISOString().slice(0, 10));
    expect(losses).toHaveLength(2);
    expect(losses).toContainEqual(
      expect.objectContaining({ host: 'api.openai.com', reason: 'Not an HTTP/1.1 request', count: 2 }),
    );
    expect(losses).toContainEqual(expect.objectContaining({ host: '*', reason: 'The recorder stopped: as ordered' }));
  });
});

describe('a recorder that is given more than it can take', () => {
  it('records the same connection again once it has caught up', async () => {
    const file = join(temporaryDirectory(), 'traces.sqlite3');
    const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 60, log: silentLog });
    onTestFinished(() => recorder.dispose());
    const events: RecorderEvent[] = [];
    recorder.onEvent(event => void events.push(event));
    const tap = recorder.tap(anOrigin());
    const pass = ({ up, down }: { up: Buffer; down: Buffer }) => {
      tap.bytes('up', up);
      tap.bytes('down', down);
    };
    pass(traffic('before'));
    const mebibyte = Buffer.alloc(1024 * 1024, 'x');
    const sizeBytes = 70 * mebibyte.length;
    const head = `POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: ${sizeBytes}\r\n\r\n`;
    tap.bytes('up', Buffer.from(head));
    for (let n = 0; n < 70; n++) tap.bytes('up', mebibyte);
    tap.bytes('down', traffic('too much').down);
    await recorder.flush();
    pass(traffic('after'));
    tap.close();
    await recorder.flush();
    expect(events.filter(event => event.kind === 'exchange')).toHaveLength(2);
    expect(events.filter(event => event.kind === 'uncaptured')).toEqual([
      { kind: 'uncaptured', host: 'api.openai.com', reason: 'the recorder cannot keep up' },
    ]);
  });
});

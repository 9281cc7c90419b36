import { Duplex } from 'node:stream';
import { constants, createDeflateRaw, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Asker, BudgetGuard } from '../../../../server/proxy/budget/budget.ts';
import { gated } from '../../../../server/proxy/budget/budgetGate.ts';
import { splice } from '../../../../server/proxy/connections/splice.ts';

/** A connection through a gate that knows one session as spent. */
function aConnection({ limitsSessions = true, spent = 'A' }: { limitsSessions?: boolean; spent?: string | null } = {}) {
  const asked: Asker[] = [];
  const guard = {
    limits: () => true,
    limitsSessions: () => limitsSessions,
    refusal: (_launch: null, asker: Asker) => {
      asked.push(asker);
      return asker.sessionId === spent ? 'It is spent.' : null;
    },
  } as unknown as BudgetGuard;
  const [client, upstream] = [aSide(), aSide()];
  const tapped: string[] = [];
  const tap = {
    bytes: (direction: string, bytes: Buffer) => void tapped.push(`${direction} ${bytes.toString('latin1')}`),
    close: () => undefined,
  };
  splice(client.stream, gated(upstream.stream, { host: 'api.test', launch: null }, guard), tap, null);
  const send = async (...pieces: (string | Buffer)[]) => {
    for (const piece of pieces) {
      client.stream.push(piece);
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  return { client, upstream, asked, tapped, send };
}

function aSide() {
  const written: Buffer[] = [];
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  stream.on('error', () => undefined);
  return { stream, text: () => Buffer.concat(written).toString('latin1') };
}

const post = (length: number, more = '') =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${length}\r\n\r\n`;
const bodyOf = (session: string) => JSON.stringify({ model: 'm', prompt_cache_key: session, messages: [] });

describe('a request that names its session in its body', () => {
  it('goes on as it comes, and is not complete for the model when the session is spent', async () => {
    const { client, upstream, send } = aConnection();
    const body = bodyOf('A');
    await send(post(body.length), body.slice(0, 10), body.slice(10, 20));
    expect(upstream.text()).toBe(post(body.length) + body.slice(0, 10));
    await send(body.slice(20));
    await expect.poll(client.text).toMatch(/^HTTP\/1\.1 400 .*It is spent\./s);
    expect(upstream.text()).toBe(post(body.length) + body.slice(0, 20));
    expect(upstream.stream.destroyed).toBe(true);
  });

  it('passes byte for byte otherwise, and so does the next one, wherever they are cut', async () => {
    const body = bodyOf('B');
    const chunked = post(0).replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    const two = `${chunked}5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)}\r\n${body.slice(5)}\r\n0\r\n\r\n${post(body.length)}${body}`;
    for (let cut = 1; cut < two.length; cut++) {
      const { upstream, asked, send } = aConnection();
      await send(two.slice(0, cut), two.slice(cut));
      expect(upstream.text()).toBe(two);
      expect(asked.map(({ sessionId }) => sessionId)).toEqual(['B', 'B']);
    }
  });

  it('is read when it is compressed', async () => {
    const { client, send } = aConnection();
    const body = zstdCompressSync(bodyOf('A'));
    await send(post(body.length, 'Content-Encoding: zstd\r\n'), body);
    await expect.poll(client.text).toContain('It is spent.');
  });

  it.each([
    ['no JSON', 'x'],
    ['nothing', ''],
  ])('counts as naming none when it is %s', async (_what, body) => {
    const { upstream, asked, send } = aConnection();
    await send(post(body.length, 'User-Agent: tool/1\r\n') + body);
    expect(upstream.text()).toMatch(/\r\n\r\nx?$/);
    expect(asked).toEqual([{ sessionId: null, userAgent: 'tool/1', host: 'api.test' }]);
  });

  it('counts as naming none when it is too long to be read', async () => {
    const { asked, send } = aConnection();
    const body = bodyOf('A').padEnd(17 * 1024 * 1024);
    await send(post(body.length), body);
    expect(asked).toMatchObject([{ sessionId: null }]);
  });

  it('is not waited for by who waits for a word of the model before it sends its body', async () => {
    const { client, upstream, send } = aConnection();
    const body = bodyOf('A');
    const head = post(body.length, 'Expect: 100-continue\r\n');
    await send(head);
    expect(upstream.text()).toBe(head);
    upstream.stream.push('HTTP/1.1 100 Continue\r\n\r\n');
    await expect.poll(client.text).toContain('100 Continue');
    await send(body);
    await expect.poll(client.text).toContain('It is spent.');
  });

  it('is with the recorder before our answer is', async () => {
    const { client, tapped, send } = aConnection();
    const body = bodyOf('A');
    await send(post(body.length), body);
    await expect.poll(client.text).toContain('It is spent.');
    expect(tapped.map(each => each.slice(0, 12))).toEqual(['up POST /v1/', 'up {"model":', 'down HTTP/1.']);
  });
});

describe('a connection', () => {
  const body = bodyOf('A');
  const request = post(body.length) + body;

  it.each([
    ['with a letter alone', ['P', request.slice(1)]],
    ['with many empty lines', ['\r\n'.repeat(40) + request]],
    ['with a method in which is more than letters', ['M-SEARCH /v1/models HTTP/1.1\r\nHost: x\r\n\r\n', request]],
    ['with small letters', ['get /v1/models HTTP/1.1\r\nHost: x\r\n\r\n', request]],
  ])('that begins %s is stopped like every other', async (_how, pieces) => {
    const { client, upstream, send } = aConnection();
    await send(...pieces);
    await expect.poll(client.text).toContain('It is spent.');
    expect(upstream.text()).not.toContain(body);
  });

  it.each([[' '], ['\f'], ['\xa0'], ['hello ']])(
    'does not go on where a server might take it for a request all the same: %j',
    async first => {
      const { upstream, send } = aConnection();
      await send(first + request);
      await expect.poll(() => upstream.stream.destroyed).toBe(true);
      expect(upstream.text()).toBe('');
    },
  );

  it('that speaks another protocol passes as it is', async () => {
    const { upstream, send } = aConnection();
    const other = Buffer.from([0x16, 0x03, 0x01, 0x00, 0x80, 0xff]);
    await send(other, request);
    expect(upstream.text()).toBe(other.toString('latin1') + request);
  });
});

describe('no byte waits', () => {
  it.each([
    ['where its head names the session', {}, 'Thread-Id: B\r\n'],
    ['where no budget limits sessions', { limitsSessions: false }, ''],
  ])('%s', async (_where, limits, header) => {
    const { upstream, asked, send } = aConnection(limits);
    const body = bodyOf('A');
    await send(post(body.length, header));
    expect(upstream.text()).toBe(post(body.length, header));
    await send(body);
    expect(upstream.text()).toBe(post(body.length, header) + body);
    expect(asked).toHaveLength(1);
  });
});

describe('on a WebSocket', () => {
  const upgradeTo = (protocols: string) =>
    `GET /v1/responses HTTP/1.1\r\nHost: x\r\nThread-Id: A\r\nUpgrade: ${protocols}\r\n\r\n`;
  const switched = 'HTTP/1.1 101 Switching Protocols\r\n\r\n';

  it('a new one is refused also when its request comes in pieces', async () => {
    const { client, upstream, send } = aConnection();
    const upgrade = upgradeTo('websocket');
    await send(upgrade.slice(0, 1), upgrade.slice(1));
    await expect.poll(client.text).toMatch(/^HTTP\/1\.1 426 /);
    expect(upstream.text()).toBe('');
  });

  it.each(['websocket', 'WebSocket', 'h2c, websocket', 'websocket, h2c'])(
    'a refused message is answered also when it comes in many pieces, with more behind it, after `Upgrade: %s`',
    async protocols => {
      const upgrade = upgradeTo(protocols);
      const limits = { spent: null as string | null };
      const guard = {
        limits: () => true,
        limitsSessions: () => true,
        refusal: (_launch: null, { sessionId }: Asker) => (sessionId === limits.spent ? 'It is spent.' : null),
      } as unknown as BudgetGuard;
      const [client, upstream] = [aSide(), aSide()];
      const tap = { bytes: () => undefined, close: () => undefined };
      splice(client.stream, gated(upstream.stream, { host: 'x', launch: null }, guard), tap, null);
      client.stream.push(upgrade);
      await expect.poll(upstream.text).toBe(upgrade);
      upstream.stream.push(switched);
      await expect.poll(client.text).toBe(switched);
      limits.spent = 'A';
      const message = Buffer.concat([Buffer.from([0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0]), Buffer.alloc(1000, 'x')]);
      client.stream.push(message.subarray(0, 300));
      await new Promise(resolve => setImmediate(resolve));
      client.stream.push(Buffer.concat([message.subarray(300), message]));
      await expect.poll(client.text).toContain('It is spent.');
      expect(client.text().match(/response\.failed/g)).toHaveLength(1);
      expect(upstream.text()).toBe(upgrade);
    },
  );
});

describe('a message on a WebSocket that names no session', () => {
  const upgrade = 'GET /v1/responses HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n';
  const switched = (more = '') => `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n${more}\r\n`;
  const deflated = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
  const says = (session: string) => JSON.stringify({ type: 'response.create', prompt_cache_key: session, input: [] });

  async function aSocket(answer = switched(), limits: Parameters<typeof aConnection>[0] = {}) {
    const connection = aConnection(limits);
    await connection.send(upgrade);
    connection.upstream.stream.push(answer);
    await expect.poll(connection.client.text).toBe(answer);
    return { ...connection, sent: () => connection.upstream.text().slice(upgrade.length) };
  }

  /** A client's frame; its mask is all but zero. */
  function aFrame(payload: Buffer | string, { opcode = 1, final = true, compressed = false } = {}): Buffer {
    const bytes = Buffer.from(payload);
    const mask = [0x17, 0x2b, 0x90, 0x05];
    const length = bytes.length < 126 ? [0x80 | bytes.length] : [0xfe, bytes.length >> 8, bytes.length & 255];
    const first = (final ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode;
    const masked = bytes.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    return Buffer.concat([Buffer.from([first, ...length, ...mask]), masked]);
  }

  /** Messages of one sender that keeps its window. */
  async function deflatedMessages(...texts: string[]): Promise<Buffer[]> {
    const deflate = createDeflateRaw();
    const messages: Buffer[] = [];
    for (const text of texts) {
      deflate.write(text);
      await new Promise<void>(resolve => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
      messages.push((deflate.read() as Buffer).subarray(0, -4));
    }
    return messages;
  }

  it('is not complete for the model when the session that it names itself is spent', async () => {
    const { client, sent, asked, upstream, send } = await aSocket();
    const [other, spent] = [aFrame(says('B')), aFrame(says('A'))];
    await send(other);
    expect(sent()).toBe(other.toString('latin1'));
    await send(spent.subarray(0, 20), spent.subarray(20));
    await expect.poll(client.text).toContain('It is spent.');
    expect(sent()).toBe(Buffer.concat([other, spent.subarray(0, 20)]).toString('latin1'));
    expect(asked.map(({ sessionId }) => sessionId)).toEqual(['B', 'A']);
    expect(upstream.stream.destroyed).toBe(true);
  });

  it('passes byte for byte otherwise, wherever it is cut, with all that stands between', async () => {
    const text = says('B');
    const wire = Buffer.concat([
      aFrame('hello', { opcode: 9 }),
      aFrame(text.slice(0, 9), { final: false }),
      aFrame('ping', { opcode: 9 }),
      aFrame(text.slice(9), { opcode: 0 }),
      aFrame('', { opcode: 2 }),
      aFrame(says('C')),
      aFrame('', { opcode: 8 }),
    ]);
    for (let cut = 1; cut < wire.length; cut++) {
      const { sent, asked, send } = await aSocket();
      await send(wire.subarray(0, cut), wire.subarray(cut));
      expect(sent()).toBe(wire.toString('latin1'));
      expect(asked.map(({ sessionId }) => sessionId)).toEqual(['B', null, 'C']);
    }
  });

  it('keeps no ping behind it waiting', async () => {
    const { sent, send } = await aSocket();
    const begun = Buffer.concat([aFrame(says('B').slice(0, 9), { final: false }), aFrame('ping', { opcode: 9 })]);
    await send(begun);
    expect(sent()).toBe(begun.toString('latin1'));
  });

  it('is read also when it is compressed with what was said before', async () => {
    const { client, asked, send } = await aSocket(switched(deflated));
    const messages = await deflatedMessages(says('B'), says('B'), says('A'));
    for (const message of messages) await send(aFrame(message, { compressed: true }));
    await expect.poll(client.text).toContain('It is spent.');
    expect(asked.map(({ sessionId }) => sessionId)).toEqual(['B', 'B', 'A']);
  });

  it('that came before the whole answer is read as that says', async () => {
    const { client, upstream, send } = aConnection();
    await send(upgrade);
    const answer = switched(deflated);
    upstream.stream.push(answer.slice(0, 20));
    await expect.poll(client.text).toContain('101');
    const [message = Buffer.alloc(0)] = await deflatedMessages(says('A'));
    await send(aFrame(message, { compressed: true }));
    expect(upstream.text()).toBe(upgrade);
    upstream.stream.push(answer.slice(20));
    await expect.poll(client.text).toContain('It is spent.');
  });

  it.each([
    ['can not be inflated', aFrame('x', { compressed: true })],
    ['is no JSON', aFrame('x')],
  ])('counts as naming none when it %s, and passes', async (_what, message) => {
    const { sent, asked, send } = await aSocket(switched(deflated));
    await send(message);
    expect(sent()).toBe(message.toString('latin1'));
    expect(asked).toMatchObject([{ sessionId: null }]);
  });

  it('is not waited for where no budget limits sessions', async () => {
    const { sent, send } = await aSocket(switched(), { limitsSessions: false });
    const message = aFrame(says('A'));
    await send(message.subarray(0, 20));
    expect(sent()).toBe(message.subarray(0, 20).toString('latin1'));
  });

  it('is asked for its own session, whatever the last one of its sender has spent', async () => {
    const { client, sent, send } = await aSocket(switched(), { spent: null });
    const message = aFrame(says('B'));
    await send(message);
    expect(sent()).toBe(message.toString('latin1'));
    expect(client.text()).not.toContain('426');
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ClientFrames, type FramePart, policyClose, textFrame } from '../../../../server/proxy/budget/clientFrames.ts';

/** A client's frame: masked, of any length form. */
function aFrame(opcode: number, payload: Buffer, final = true): Buffer {
  const mask = randomBytes(4);
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : payload.length < 65_536
        ? Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
        : Buffer.concat([Buffer.from([0x80 | 127]), bigEndian(payload.length)]);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode]), length, mask, masked]);
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

it('finds where messages begin and end, however the bytes are cut, and changes none', () => {
  const wire = Buffer.concat([
    aFrame(1, Buffer.from('short')),
    aFrame(1, Buffer.alloc(300, 'a'), false),
    aFrame(9, Buffer.from('ping')),
    aFrame(0, Buffer.alloc(70_000, 'b')),
    aFrame(2, Buffer.alloc(0)),
  ]);
  for (let round = 0; round < 300; round++) {
    const parts: FramePart[] = [];
    const frames = new ClientFrames(part => parts.push({ ...part, bytes: Buffer.from(part.bytes) }));
    for (let at = 0; at < wire.length; ) {
      const size = round === 0 ? 1 : 1 + Math.floor(Math.random() ** 4 * 40_000);
      frames.push(wire.subarray(at, at + size));
      at += size;
    }
    expect(Buffer.concat(parts.map(part => part.bytes)).equals(wire)).toBe(true);
    const marks = parts.flatMap(part => [
      ...(part.startsMessage ? ['start'] : []),
      ...(part.endsMessage ? ['end'] : []),
    ]);
    expect(marks).toEqual(['start', 'end', 'start', 'end', 'start', 'end']);
  }
});

it('writes frames that a client of another make reads', async () => {
  const server = createServer().on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.end(Buffer.concat([textFrame('short'), textFrame('ü'.repeat(200)), policyClose()]));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  const texts: string[] = [];
  client.on('message', data => texts.push(data.toString()));
  const code = await new Promise(resolve => client.once('close', resolve));
  server.close();
  expect(texts).toEqual(['short', 'ü'.repeat(200)]);
  expect(code).toBe(1008);
});

import { describe, expect, it } from 'vitest';
import { ChunkCollector, chunksOf } from '../../../../server/traces/recorder/chunkBatch.ts';

describe('a batch of chunks', () => {
  it('brings every chunk back in order, with its connection, direction and time', () => {
    const collector = new ChunkCollector();
    const socketBuffer = Buffer.from('..GET / HTTP..');
    collector.add(7, 'up', socketBuffer.subarray(2, 12), 1_700_000_000_123);
    collector.add(2 ** 40, 'down', Buffer.alloc(0), 1_700_000_000_124);
    collector.add(7, 'down', Buffer.from('200'), 1_700_000_000_124);
    expect(collector.sizeBytes).toBe(13);
    const batch = collector.take();
    // As it arrives in the other thread.
    const arrived = structuredClone(batch, {
      transfer: batch === null ? [] : [batch.bytes.buffer, batch.frames.buffer],
    });
    const chunks = arrived === null ? [] : [...chunksOf(arrived)];
    expect(chunks.map(chunk => ({ ...chunk, bytes: Buffer.from(chunk.bytes).toString() }))).toEqual([
      { kind: 'bytes', connection: 7, direction: 'up', bytes: 'GET / HTTP', atMs: 1_700_000_000_123 },
      { kind: 'bytes', connection: 2 ** 40, direction: 'down', bytes: '', atMs: 1_700_000_000_124 },
      { kind: 'bytes', connection: 7, direction: 'down', bytes: '200', atMs: 1_700_000_000_124 },
    ]);
    expect(socketBuffer.toString()).toBe('..GET / HTTP..');
  });

  it('joins what passed one way of a connection in one millisecond, and nothing else', () => {
    const collector = new ChunkCollector();
    const add = (connection: number, direction: 'up' | 'down', text: string, atMs: number) =>
      collector.add(connection, direction, Buffer.from(text), atMs);
    add(1, 'down', 'ab', 5);
    add(1, 'down', 'c', 5);
    add(1, 'down', 'd', 6);
    add(1, 'up', 'e', 6);
    add(2, 'up', 'f', 6);
    add(1, 'up', 'g', 6);
    const batch = collector.take();
    const chunks = batch === null ? [] : [...chunksOf(batch)];
    expect(
      chunks.map(chunk => [chunk.connection, chunk.direction, Buffer.from(chunk.bytes).toString(), chunk.atMs]),
    ).toEqual([
      [1, 'down', 'abc', 5],
      [1, 'down', 'd', 6],
      [1, 'up', 'e', 6],
      [2, 'up', 'f', 6],
      [1, 'up', 'g', 6],
    ]);
  });

  it('is nothing when nothing came since the last one', () => {
    const collector = new ChunkCollector();
    collector.add(1, 'up', Buffer.from('x'), 0);
    expect(collector.take()?.bytes).toHaveLength(1);
    expect(collector.take()).toBeNull();
    expect(collector.sizeBytes).toBe(0);
  });
});

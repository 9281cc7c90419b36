import { expect, it } from 'vitest';
import { demultiplexer } from '../../../server/executors/docker/demultiplexer.ts';

function frame(type: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(text.length, 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

it('splits both outputs of a command, however the bytes are cut', () => {
  const stream = Buffer.concat([frame(1, 'one'), frame(1, ' two'), frame(2, 'oops'), frame(1, ''), frame(1, ' three')]);
  for (const sizeBytes of [1, 3, 8, 11, stream.length]) {
    const split = demultiplexer();
    const said = { stdout: '', stderr: '' };
    for (let at = 0; at < stream.length; at += sizeBytes) {
      for (const { from, content } of split(stream.subarray(at, at + sizeBytes))) said[from] += content;
    }
    expect(said, `in pieces of ${sizeBytes} B`).toEqual({ stdout: 'one two three', stderr: 'oops' });
  }
});

it('takes a million frames of one byte', () => {
  // What takes ever longer with each frame would not end within the time of a test.
  const parts = demultiplexer()(Buffer.concat(Array.from({ length: 1_000_000 }, () => frame(1, 'x'))));
  expect(parts.map(part => part.content.length)).toEqual([1_000_000]);
});

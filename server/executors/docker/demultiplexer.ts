export interface OutputPart {
  readonly from: 'stdout' | 'stderr';
  readonly content: Buffer;
}

const headerBytes = 8;

/**
 * Takes apart the one stream in which the engine sends both outputs of a command: frames of a type (2 is standard
 * error), three zero bytes, a size in four bytes, big-endian, and the content (Docker Engine API, "Stream format").
 * Linear in what comes; neighbouring frames of one output come out as one part. dockerode's own copies the rest of its
 * buffer for every frame and recurses, which a program that writes single bytes brings to its end.
 */
export function demultiplexer(): (chunk: Buffer) => readonly OutputPart[] {
  let header: Buffer = Buffer.alloc(0);
  let from: OutputPart['from'] = 'stdout';
  let leftBytes = 0;
  return chunk => {
    const parts: { from: OutputPart['from']; contents: Buffer[] }[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (leftBytes === 0) {
        const piece = chunk.subarray(at, at + headerBytes - header.length);
        at += piece.length;
        header = Buffer.concat([header, piece]);
        if (header.length < headerBytes) break;
        from = header[0] === 2 ? 'stderr' : 'stdout';
        leftBytes = header.readUInt32BE(4);
        header = Buffer.alloc(0);
        continue;
      }
      const content = chunk.subarray(at, at + leftBytes);
      at += content.length;
      leftBytes -= content.length;
      const last = parts.at(-1);
      if (last?.from === from) last.contents.push(content);
      else parts.push({ from, contents: [content] });
    }
    return parts.map(part => ({ from: part.from, content: Buffer.concat(part.contents) }));
  };
}

import { codex } from '../agents/codex.ts';
import { clip } from '../surfaces/cli/table.ts';

const shownWidth = 100;

/** Codex's JSON lines as one short line each, for a person who watches. */
export function codexLines(print: (text: string) => void): (chunk: Buffer) => void {
  let rest = '';
  return chunk => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      for (const { kind, text } of codex.parseLine(line)) {
        if (kind !== 'usage') print(clip(`${kind}: ${text.replaceAll(/\s+/g, ' ')}`, shownWidth));
      }
    }
  };
}

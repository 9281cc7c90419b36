import { delay } from '../../base/clock.ts';

/** What a program may print without being slowed down, per second; well above what any real one does for long. */
const bytesPerSec = 16 * 1024 * 1024;
const linesPerSec = 50_000;
/** How far it may run ahead of that, in seconds. */
const burstSec = 0.5;

/** Bounds the work that the output of one program makes for everybody else, by making the program wait. */
export class OutputPace {
  #paidUntilSec = 0;

  /** @returns when more may come; undefined for at once */
  charge(sizeBytes: number, lines = 0): Promise<void> | undefined {
    const nowSec = performance.now() / 1000;
    const costSec = Math.max(sizeBytes / bytesPerSec, lines / linesPerSec);
    this.#paidUntilSec = Math.max(this.#paidUntilSec, nowSec - burstSec) + costSec;
    return this.#paidUntilSec > nowSec ? delay((this.#paidUntilSec - nowSec) * 1000) : undefined;
  }
}

/** Longest line that is kept whole, in characters. */
const maxLineLength = 1024 * 1024;

/** Whole lines of a stream; one that never ends is cut. Answers how many lines a chunk ended. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => number {
  const decoder = new TextDecoder();
  let rest = '';
  return chunk => {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    lines[0] = `${rest}${lines[0]}`.slice(0, maxLineLength);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    return lines.length;
  };
}

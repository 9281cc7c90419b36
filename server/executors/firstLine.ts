import type { OutputListener } from '../base/exec.ts';

/**
 * Takes the line off an output by which a script of ours says that it comes to what it was started for, and passes on what
 * comes after it. Output that begins otherwise goes nowhere: the script failed before.
 */
export function afterFirstLine(line: string, onLine: () => void, pass?: OutputListener): OutputListener {
  let expected = Buffer.from(`${line}\n`);
  return chunk => {
    if (expected.length === 0) return pass?.(chunk);
    const begin = chunk.subarray(0, expected.length);
    if (!begin.equals(expected.subarray(0, begin.length))) return undefined;
    expected = expected.subarray(begin.length);
    if (expected.length > 0) return undefined;
    onLine();
    return begin.length < chunk.length ? pass?.(chunk.subarray(begin.length)) : undefined;
  };
}

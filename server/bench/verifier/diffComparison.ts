import type { DiffComparison } from '../../../protocol/rubric.ts';

interface PatchFacts {
  readonly files: ReadonlySet<string>;
  readonly hunks: number;
  /** Changed lines with their file and sign, and how often each comes. */
  readonly lines: ReadonlyMap<string, number>;
  readonly lineCount: number;
}

/** What is looked at of a patch; what comes after is like nothing. */
const maxBytes = 32 * 1024 * 1024;

/**
 * The agent's change beside the reference, by their patches. The similarity is the Dice coefficient 2·|A∩B| / (|A|+|B|) of
 * the changed lines as multisets, each with its file and sign, apart from blanks at its ends; empty lines tell nothing.
 * Two binary changes of one file are alike in their file only. Two empty changes are alike.
 * @param applies whether the agent's change applies to the start
 * @param isOut paths that are left out: a reference holds no tests
 */
export function compareDiffs(
  agent: Buffer,
  reference: Buffer,
  applies: boolean,
  isOut: (path: string) => boolean,
): DiffComparison {
  const read = (patch: Buffer) => factsOf(patch.subarray(0, maxBytes).toString(), isOut);
  const [a, b] = [read(agent), read(reference)];
  const both = [...a.files].filter(file => b.files.has(file)).length;
  let shared = 0;
  for (const [line, count] of a.lines) shared += Math.min(count, b.lines.get(line) ?? 0);
  const all = a.lineCount + b.lineCount;
  return {
    files: { both, agent: a.files.size - both, reference: b.files.size - both },
    hunks: { agent: a.hunks, reference: b.hunks },
    lines: { agent: a.lineCount, reference: b.lineCount, both: shared },
    similarity: all === 0 ? filesAlike(a, b, both) : (2 * shared) / all,
    applies,
  };
}

function filesAlike(a: PatchFacts, b: PatchFacts, both: number): number {
  const all = a.files.size + b.files.size;
  return all === 0 ? 1 : (2 * both) / all;
}

/** Reads a git patch. Whether a line is a header or content is told by the counts of its hunk. */
function factsOf(patch: string, isOut: (path: string) => boolean): PatchFacts {
  const files = new Set<string>();
  const lines = new Map<string, number>();
  let [file, hunks, lineCount, before, after] = ['', 0, 0, 0, 0];
  let skipped = false;
  for (const line of patch.split('\n')) {
    if (before > 0 || after > 0) {
      const sign = line[0];
      if (sign === '\\') continue;
      if (sign !== '+') before--;
      if (sign !== '-') after--;
      const text = line.slice(1).trim();
      if (skipped || (sign !== '+' && sign !== '-') || text === '') continue;
      const key = `${file}\0${sign}${text}`;
      lines.set(key, (lines.get(key) ?? 0) + 1);
      lineCount++;
    } else if (line.startsWith('diff --git ')) {
      file = pathOf(line);
      skipped = isOut(file);
      if (!skipped) files.add(file);
    } else {
      const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
      if (hunk === null) continue;
      if (!skipped) hunks++;
      [before, after] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
    }
  }
  return { files, hunks, lines, lineCount };
}

/** Without renames both halves of the line name the same path; one that git quotes stays as it is. */
function pathOf(line: string): string {
  const names = line.slice('diff --git '.length);
  return names.startsWith('"') ? names : names.slice((names.length + 1) / 2 + 'b/'.length);
}

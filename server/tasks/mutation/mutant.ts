import * as z from 'zod';

/** One small fault planted in a source file. */
export const Mutant = z.object({
  file: z.string().min(1),
  /** Where `before` stands in the file, in UTF-16 code units from its start. */
  offset: z.int().nonnegative(),
  /** 1-based. */
  line: z.int().positive(),
  operator: z.enum(['comparison', 'boolean', 'arithmetic', 'negation', 'return', 'constant']),
  before: z.string(),
  after: z.string(),
});
export type Mutant = z.infer<typeof Mutant>;

/** The text with the fault in it; null when the text is not the one that the mutant was made of. */
export function applyMutant(text: string, { offset, before, after }: Mutant): string | null {
  if (text.slice(offset, offset + before.length) !== before) return null;
  return text.slice(0, offset) + after + text.slice(offset + before.length);
}

/**
 * The same program, spelled otherwise: one more space before each place. Tests that fail on it look at the text of
 * the code instead of at what it does.
 */
export function respaced(text: string, offsets: readonly number[]): string {
  return [...new Set(offsets)]
    .sort((a, b) => b - a)
    .reduce((changed, offset) => `${changed.slice(0, offset)} ${changed.slice(offset)}`, text);
}

/** How a mutant is named in reports. */
export function mutantName({ file, line, operator, before, after }: Mutant): string {
  return `mutant ${file}:${line} > ${operator} > ${clip(before)} → ${clip(after)}`;
}

function clip(code: string): string {
  const line = code.replaceAll(/\s+/g, ' ').trim();
  return line === '' ? 'nothing' : line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

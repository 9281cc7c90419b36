import { languageOf } from './language.ts';
import { applyMutant, type Mutant } from './mutant.ts';
import { faultsIn } from './operators.ts';
import { tokensOf } from './tokens.ts';

/** A file as `task.toml` names it in `mutate`: `src/sums.js`, or with lines `src/sums.js:10-40`. */
export function toSource(entry: string): { readonly path: string; readonly from: number; readonly to: number } {
  const lines = /^(.+):(\d+)(?:-(\d+))?$/.exec(entry);
  if (lines === null) return { path: entry, from: 1, to: Number.POSITIVE_INFINITY };
  return { path: lines[1] ?? '', from: Number(lines[2]), to: Number(lines[3] ?? lines[2]) };
}

/**
 * Mutants of the named sources, at most `limit`: always the same ones for the same text, spread evenly over all places
 * where one could be planted.
 */
export function mutantsOf(
  entries: readonly string[],
  textOf: (path: string) => string | null,
  limit: number,
): Mutant[] {
  const all = entries.flatMap(entry => {
    const { path, from, to } = toSource(entry);
    const language = languageOf(path);
    const text = textOf(path);
    if (language === null || text === null) return [];
    return faultsIn(text, tokensOf(text, language), language)
      .filter(({ line }) => line >= from && line <= to)
      .map(fault => ({ file: path, ...fault }))
      .filter(mutant => applyMutant(text, mutant) !== null);
  });
  if (all.length <= limit) return all;
  return Array.from({ length: limit }, (_, index) => all[Math.floor((index * all.length) / limit)]).filter(
    mutant => mutant !== undefined,
  );
}

import type { Utterance } from '../dialects/dialect.ts';

/** What Gemini CLI and Qwen Code have the model say to the summary that opens a compressed history. */
const thanks = 'Got it. Thanks for the additional context!';

/** The summary of a compressed history as what it is: the program says it, not a person. */
export function summaryAside(said: readonly Utterance[]): readonly Utterance[] {
  const isThanked = (index: number) => said[index]?.kind === 'assistant' && said[index].text === thanks;
  if (!said.some((_, index) => isThanked(index))) return said;
  return said.map((item, index) =>
    item.kind === 'user' && isThanked(index + 1) ? { ...item, kind: 'system' as const } : item,
  );
}

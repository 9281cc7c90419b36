import { createInterface } from 'node:readline/promises';
import { CoachError } from '../../protocol/errors.ts';
import type { Terminal } from '../surfaces/cli/terminal.ts';

/**
 * Asks once. Without a terminal to ask on, `--yes` is needed.
 * @throws CoachError `cancelled`, `input.invalid`
 */
export async function confirm(question: string, terminal: Terminal): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CoachError('input.invalid', 'There is no terminal to ask on; nothing was changed.', {
      hint: 'Confirm it with --yes.',
    });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal: terminal.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new CoachError('cancelled', 'Nothing was changed.');
  } finally {
    prompt.close();
  }
}

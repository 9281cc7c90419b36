import { createInterface } from 'node:readline/promises';
import { CoachError } from '../../../protocol/errors.ts';
import { plural, toDuration } from '../../../protocol/figures.ts';
import type { RunPlan } from '../../../protocol/runs.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

const unknown = 'unknown';

/** A plan as `run --dry-run` prints it. What has no earlier trials to go by is unknown, and says so. */
export function planText(plan: RunPlan): string {
  const due = plan.trials - plan.reused;
  const taken = plan.reused === 0 ? '' : `, ${plan.reused} more taken from earlier runs (--fresh runs them again)`;
  return [
    `${due} ${plural(due, 'trial')} to run in ${plan.executor}${taken}.`,
    table(
      ['Agent', 'Trials', 'Cost', 'Agent time', 'By earlier trials'],
      plan.agents.map(agent => [
        agent.label,
        String(agent.trials),
        agent.mayCost ? dollars(agent.costUsd) : 'none',
        duration(agent.agentMs),
        String(agent.basis),
      ]),
      ['left', 'right', 'right', 'right', 'right'],
    ),
    ...(plan.judge === undefined
      ? []
      : [`Judge ${plan.judge.name}: ${plan.judge.questions} questions, ${dollars(plan.judge.costUsd)}.`]),
    ...(plan.unjudged === undefined
      ? []
      : [
          `No judge is set, so trials end without a verdict by the rubric of ${plan.unjudged.join(', ')}. Set one with --judge.`,
        ]),
    `Expected: ${plan.mayCost ? dollars(plan.costUsd) : 'no cost'}, ${duration(plan.wallMs)} of agents' work with this concurrency.`,
  ].join('\n');
}

/**
 * Asks once before money is spent, where there is a terminal to ask on: a script has decided already.
 * @throws CoachError `cancelled`
 */
export async function confirmCost(plan: RunPlan, terminal: Terminal): Promise<void> {
  if (!plan.mayCost) return;
  terminal.note(planText(plan));
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question('A real model is paid for this. Go on? [y/N] ', { signal: terminal.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new CoachError('cancelled', 'Nothing was run.');
  } finally {
    prompt.close();
  }
}

function dollars(amountUsd: number | null): string {
  return amountUsd === null ? unknown : `$${amountUsd.toFixed(2)}`;
}

function duration(ms: number | null): string {
  return ms === null ? unknown : toDuration(ms);
}

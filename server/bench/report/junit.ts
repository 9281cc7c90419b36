import type { TrialSummary } from '../../../protocol/runs.ts';
import { totalTokens, wholeUsd } from '../../../protocol/usage.ts';
import { toMarkup } from './escape.ts';

/**
 * A run as JUnit XML: one suite per agent, one case per task and attempt. A failure is the agent's, an error the
 * machine's; a trial without an end yet is skipped.
 */
export function toJUnit(runId: string, trials: readonly TrialSummary[]): string {
  const suites = [...Map.groupBy(trials, trial => trial.agentLabel)].map(
    ([label, own]) =>
      `<testsuite ${attributes({ name: label, ...counts(own) })}>\n${own.map(toCase).join('')}</testsuite>\n`,
  );
  const head = attributes({ name: `run ${runId}`, ...counts(trials) });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${head}>\n${suites.join('')}</testsuites>\n`;
}

function counts(trials: readonly TrialSummary[]): Record<string, string> {
  const ends = trials.map(verdictOf);
  const count = (verdict: Verdict) => String(ends.filter(end => end === verdict).length);
  return {
    tests: String(trials.length),
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: seconds(trials.reduce((sum, trial) => sum + (trial.agentMs ?? 0), 0)),
  };
}

type Verdict = 'passed' | 'failure' | 'error' | 'skipped';

function verdictOf({ reward, end }: TrialSummary): Verdict {
  if (reward !== null) return reward === 1 ? 'passed' : 'failure';
  if (end === null || end === 'cancelled') return 'skipped';
  return end === 'errored' || end === 'lost' ? 'error' : 'failure';
}

function toCase(trial: TrialSummary): string {
  const { task, agentLabel, attempt, reward, end, error } = trial;
  const known = {
    reward,
    tokens: totalTokens(trial.usage),
    costUsd: wholeUsd(trial.cost),
    end,
    reusedFrom: trial.reusedFrom ?? null,
  };
  const properties = Object.entries(known)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `<property ${attributes({ name, value: String(value) })}/>`);
  const head = attributes({ name: `${task} #${attempt}`, classname: agentLabel, time: seconds(trial.agentMs ?? 0) });
  return `<testcase ${head}>\n<properties>${properties.join('')}</properties>\n${outcome(trial, error?.message ?? null)}</testcase>\n`;
}

function outcome(trial: TrialSummary, message: string | null): string {
  const verdict = verdictOf(trial);
  if (verdict === 'passed') return '';
  if (verdict === 'skipped') return '<skipped/>\n';
  const failing = trial.tests.filter(test => test.status !== 'passed');
  const unmet = (trial.score?.rubric?.criteria ?? []).filter(criterion => criterion.verdict === 'unmet');
  const text = [
    ...failing.map(test => `${test.status}: ${test.id}${test.message === null ? '' : `\n${test.message}`}`),
    ...unmet.map(criterion => `unmet: ${criterion.id}\n${criterion.text}`),
  ];
  const why = [
    ...(failing.length > 0 ? [`${failing.length} expected tests did not pass`] : []),
    ...(unmet.length > 0 ? [`${unmet.length} criteria are not met`] : []),
  ];
  const told = message ?? (why.join(', ') || `${trial.end}`);
  return `<${verdict} ${attributes({ message: told, type: trial.end ?? verdict })}>${toMarkup(text.join('\n'))}</${verdict}>\n`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${toMarkup(value).replaceAll('\n', '&#10;')}"`)
    .join(' ');
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

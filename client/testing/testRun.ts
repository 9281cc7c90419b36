import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { toMoney, toReward } from '../../protocol/figures.ts';
import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { followRun } from './followRun.ts';

/** So much of the end of a verifier's output is shown. */
const outputTailBytes = 16 * 1024;

/** Mirrors a run of ours in a run of the editor until it is over. Cancelling it there cancels ours; `signal` only ends the mirroring. */
export async function mirrorRun(
  coach: Coach,
  run: RunSummary,
  mirror: vscode.TestRun,
  itemOf: (trial: TrialSummary) => vscode.TestItem | undefined,
  signal: AbortSignal,
): Promise<void> {
  const shown = new Map<string, TrialSummary['phase']>();
  const items = new Map<string, vscode.TestItem>();
  const verdicts: Promise<void>[] = [];
  const cancelling = mirror.token.onCancellationRequested(() => {
    // What was reached is told yet; the run ends by itself within seconds.
    coach.api.runs.cancel({ runId: run.id }).catch((error: unknown) => coach.log.warn(String(error)));
  });
  try {
    await followRun(
      coach.api,
      run.id,
      {
        trial(trial) {
          const item = items.get(trial.id) ?? itemOf(trial);
          if (item === undefined || shown.get(trial.id) === trial.phase) return;
          items.set(trial.id, item);
          shown.set(trial.id, trial.phase);
          item.label = attemptWords(trial);
          if (trial.phase === 'queued') mirror.enqueued(item);
          else if (trial.phase === 'done') verdicts.push(showVerdict(mirror, item, trial));
          else mirror.started(item);
        },
        event({ trialId, kind, text }) {
          if (kind !== 'usage') mirror.appendOutput(toOutput(text), undefined, items.get(trialId ?? ''));
        },
      },
      signal,
    );
    await Promise.all(verdicts);
  } finally {
    cancelling.dispose();
    mirror.end();
  }
}

/** As the editor's output takes it: it is a terminal, in which only CR LF begins a line and an escape would act. */
export function toOutput(text: string): string {
  return `${visible(text).trimEnd().replaceAll('\n', '\r\n')}\r\n`;
}

/** What an attempt is called: once it is done, with its reward, and its cost where it is known. */
export function attemptWords({ agentLabel, attempt, phase, reward, cost }: TrialSummary): string {
  const name = `${agentLabel} #${attempt}`;
  if (phase !== 'done') return name;
  const judged = vscode.l10n.t('{0}: reward {1}', name, toReward(reward));
  return cost.amountUsd !== null ? `${judged}, ${toMoney(cost)}` : judged;
}

/** The editor knows passed and failed only; the reward stands in the label. */
async function showVerdict(mirror: vscode.TestRun, item: vscode.TestItem, trial: TrialSummary): Promise<void> {
  const { agentMs, end, error, reward } = trial;
  const durationMs = agentMs ?? undefined;
  if (end === 'cancelled') mirror.skipped(item);
  else if (reward === 1) mirror.passed(item, durationMs);
  else if (reward === null) {
    const why = [error?.message ?? vscode.l10n.t('No verdict was reached.'), error?.hint ?? '']
      .filter(Boolean)
      .join(' ');
    mirror.errored(item, new vscode.TestMessage(visible(why)), durationMs);
  } else mirror.failed(item, await failures(trial), durationMs);
}

/** One message per test that decides and did not pass; the last one is what the verifier printed. */
async function failures({ tests, directory, reward }: TrialSummary): Promise<vscode.TestMessage[]> {
  const failed = tests.filter(({ status }) => status !== 'passed');
  const messages = failed.map(({ id, status, message }) =>
    visible([`${id}: ${status}`, message ?? ''].filter(Boolean).join('\n')),
  );
  const output = await tailOf(join(directory, 'verifier', 'test-stdout.txt'));
  if (output !== '') messages.push(vscode.l10n.t('The verifier printed:\n{0}', visible(output)));
  if (messages.length === 0) messages.push(vscode.l10n.t('The reward is {0}.', toReward(reward)));
  return messages.map(text => new vscode.TestMessage(text));
}

/** Empty where there is no such file. */
async function tailOf(path: string): Promise<string> {
  const file = await open(path).catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, outputTailBytes);
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: size - length });
    return buffer.toString().trim();
  } finally {
    await file.close();
  }
}

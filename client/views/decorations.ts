import * as vscode from 'vscode';
import type { RunState } from '../../protocol/runs.ts';
import { runStateWord, trialStateWord } from '../../protocol/stateWords.ts';
import type { TaskState } from '../../protocol/tasks.ts';
import type { TrialState } from '../../protocol/trialState.ts';
import { stateScheme } from '../contributions.ts';

type RowState = TaskState | 'problem' | RunState | 'someErrored' | TrialState;
type RowKind = 'task' | 'run' | 'trial';

/** A mark of one sign. The icon has the colour, so that names stay readable. States under way have none: their icon moves. */
const marks: Partial<Record<RowState, string>> = {
  problem: '!',
  proven: '✓',
  passed: '✓',
  partial: '½',
  failed: '✗',
  agentFailed: '✗',
  timedOut: 'T',
  budgetSpent: 'B',
  diskSpent: 'D',
  stalled: 'S',
  cancelled: '–',
  lost: '?',
  errored: '!',
  interrupted: '?',
  someErrored: '!',
};

/** What a row is decorated by. The state is a part of it, so a row whose state changes asks for another decoration. */
export function stateUri(kind: RowKind, id: string, state: RowState): vscode.Uri {
  return vscode.Uri.from({ scheme: stateScheme, authority: kind, path: `/${id.replace(/^\/+/, '')}`, query: state });
}

export const stateDecorations: vscode.FileDecorationProvider = {
  provideFileDecoration(uri) {
    const mark = uri.scheme === stateScheme ? marks[uri.query as RowState] : undefined;
    if (mark === undefined) return undefined;
    return new vscode.FileDecoration(mark, words(uri.query as RowState));
  },
};

function words(state: RowState): string {
  switch (state) {
    case 'problem':
      return vscode.l10n.t('Has a problem');
    case 'proven':
      return vscode.l10n.t('Proven');
    case 'someErrored':
      return vscode.l10n.t('Some trials errored');
    case 'interrupted':
      return runStateWord(state, vscode.l10n);
    default:
      // The states of tasks and runs without a mark do not come here.
      return trialStateWord(state as TrialState, vscode.l10n);
  }
}

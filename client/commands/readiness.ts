import * as vscode from 'vscode';
import type { Finding, RepositoryState } from '../../protocol/tasks.ts';
import type { Coach } from '../coach.ts';
import { commandId } from '../contributions.ts';
import { hintWords } from '../failures.ts';
import { showWarning } from '../messages.ts';
import { withCancellableProgress } from '../progress.ts';
import { pickRepository, startOf } from '../repository.ts';
import { setting } from '../settings.ts';
import { titleOf } from '../titles.ts';

type Row = vscode.QuickPickItem & { readonly next?: 'mend' | 'runTests' | 'initRepository' | 'firstCommit' };

/** What a recording needs, found or missing, and the offers to mend what can be and to run the tests. */
export async function checkReadiness(coach: Coach): Promise<void> {
  const repository = await pickRepository();
  if (repository === undefined) return;
  const executor = setting('run.executor', vscode.Uri.file(repository));
  const check = (tests: boolean, signal?: AbortSignal) =>
    coach.api.tasks.check({ repository, tests, executor }, signal);
  const { state } = await coach.api.tasks.repository({ repository });
  let { ready, findings } = await check(false);
  for (;;) {
    const title = ready ? vscode.l10n.t('Ready to record a task') : vscode.l10n.t('Not ready to record a task');
    const chosen = await vscode.window.showQuickPick(rows(state, findings), { title });
    if (chosen?.next === 'mend' && (await askAndMend(coach, repository))) ({ ready, findings } = await check(false));
    else if (chosen?.next === 'runTests') {
      const running = vscode.l10n.t('Running the tests as they are');
      ({ ready, findings } = await withCancellableProgress(running, signal => check(true, signal)));
    } else if (chosen?.next === 'initRepository' || chosen?.next === 'firstCommit') {
      return void (await vscode.commands.executeCommand(commandId(chosen.next)));
    } else return;
  }
}

/** What can be done stands first. Where no task can start, nothing else can be found out. */
function rows(state: RepositoryState, findings: readonly Finding[]): Row[] {
  if (state === 'ready') return [...offers(findings), ...findings.map(toRow)];
  const next = startOf[state];
  const icon = state === 'none' ? 'repo' : 'git-commit';
  return [
    { label: `$(${icon}) ${titleOf(next)}`, next },
    ...findings.map(finding => toRow({ ...finding, hint: null })),
  ];
}

function offers(findings: readonly Finding[]): Row[] {
  const has = (id: string) => findings.some(finding => finding.id === id && finding.severity === 'ok');
  const wereRun = findings.some(({ id }) => id === 'testsNow');
  return [
    ...(findings.some(({ fixable }) => fixable)
      ? [{ label: `$(wand) ${vscode.l10n.t('Mend What Is in the Way…')}`, next: 'mend' as const }]
      : []),
    ...(has('tests') && !wereRun
      ? [{ label: `$(beaker) ${vscode.l10n.t('Run the Tests As They Are Now')}`, next: 'runTests' as const }]
      : []),
  ];
}

const icons = { error: '$(error)', warning: '$(warning)', ok: '$(pass)' } as const;

function toRow({ severity, message, hint, fixable }: Finding): Row {
  return {
    label: `${icons[severity]} ${message}`,
    // What can be mended is offered above.
    ...(hint === null || fixable ? {} : { detail: hintWords(hint) }),
  };
}

/** Says what would be done, and does it once the person agrees. False when there is nothing, or it was refused. */
export async function askAndMend(coach: Coach, repository: string): Promise<boolean> {
  const { actions } = await coach.api.tasks.fix({ repository });
  if (actions.length === 0) return false;
  const mend = vscode.l10n.t('Mend and Go On');
  const chosen = await showWarning(
    vscode.l10n.t('Something keeps a task from being recorded. Mend it?'),
    { modal: true, detail: actions.map(({ description }) => description).join('\n') },
    mend,
  );
  if (chosen !== mend) return false;
  await coach.api.tasks.fix({ repository, apply: true });
  return true;
}

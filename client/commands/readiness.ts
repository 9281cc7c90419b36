import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { hintWords } from '../failures.ts';
import { pickRepository } from '../repository.ts';

/** What a recording needs, found or missing, and the offer to mend what can be. */
export async function checkReadiness(coach: Coach): Promise<void> {
  const repository = await pickRepository();
  if (repository === undefined) return;
  const { ready, findings } = await coach.api.tasks.check({ repository });
  const icons = { error: '$(error)', warning: '$(warning)', ok: '$(pass)' } as const;
  const mend = { label: `$(wand) ${vscode.l10n.t('Mend What Is in the Way…')}` };
  const rows = findings.map(({ severity, message, hint, fixable }) => ({
    label: `${icons[severity]} ${message}`,
    // What can be mended is offered above.
    ...(hint === null || fixable ? {} : { detail: hintWords(hint) }),
  }));
  const chosen = await vscode.window.showQuickPick(findings.some(({ fixable }) => fixable) ? [mend, ...rows] : rows, {
    title: ready ? vscode.l10n.t('Ready to record a task') : vscode.l10n.t('Not ready to record a task'),
  });
  if (chosen === mend && (await askAndMend(coach, repository))) await checkReadiness(coach);
}

/** Says what would be done, and does it once the person agrees. False when there is nothing, or it was refused. */
export async function askAndMend(coach: Coach, repository: string): Promise<boolean> {
  const { actions } = await coach.api.tasks.fix({ repository });
  if (actions.length === 0) return false;
  const mend = vscode.l10n.t('Mend and Go On');
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t('Something keeps a task from being recorded. Mend it?'),
    { modal: true, detail: actions.map(({ description }) => description).join('\n') },
    mend,
  );
  if (chosen !== mend) return false;
  await coach.api.tasks.fix({ repository, apply: true });
  return true;
}

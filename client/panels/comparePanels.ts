import * as vscode from 'vscode';
import { serve } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { comparePage } from '../../protocol/pages.ts';
import { runs } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { pickRuns } from '../commands/picks.ts';
import { comparePanelType } from '../contributions.ts';
import { comparisonTitle } from '../views/runTitle.ts';
import { showPage } from './page.ts';
import type { RunPanels } from './runPanels.ts';

/** The comparisons of this window: one per set of runs, restored after a reload. */
export class ComparePanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #coach: Coach;
  readonly #runPanels: RunPanels;
  readonly #panels = new Map<string, vscode.WebviewPanel>();

  constructor(coach: Coach, runPanels: RunPanels) {
    this.#coach = coach;
    this.#runPanels = runPanels;
  }

  open(runIds: readonly string[]): void {
    const existing = this.#panels.get(runIds.join(' '));
    if (existing !== undefined) {
      existing.reveal();
      return;
    }
    const title = vscode.l10n.t('Compare Agents');
    this.#attach(vscode.window.createWebviewPanel(comparePanelType, title, vscode.ViewColumn.Active), runIds);
  }

  /** Asks which runs, `ticked` at first, then compares their agents. False when the person left it. */
  async choose(ticked: readonly string[]): Promise<boolean> {
    const chosen = await pickRuns(this.#coach, vscode.l10n.t('Compare Agents of Runs'), ticked);
    if (chosen === undefined) return false;
    this.open(chosen.map(run => run.id));
    return true;
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { runIds } = (state ?? {}) as { runIds?: unknown };
    if (Array.isArray(runIds) && runIds.every(id => typeof id === 'string')) this.#attach(panel, runIds);
    else panel.dispose();
  }

  dispose(): void {
    for (const panel of this.#panels.values()) panel.dispose();
  }

  #attach(panel: vscode.WebviewPanel, runIds: readonly string[]): void {
    const coach = this.#coach;
    const key = runIds.join(' ');
    this.#panels.set(key, panel);
    void this.#name(panel, runIds);
    showPage(coach, panel, {
      name: 'compare',
      icon: 'run.svg',
      facts: { runIds: key },
      serve: channel => [
        new vscode.Disposable(() => this.#panels.delete(key)),
        serve(runs, coach.api.runs, channel, 'webview'),
        serve(
          comparePage,
          {
            openTrial: async ({ trialId }) => {
              await this.#openTrial(runIds, trialId);
              return { done: true };
            },
            chooseRuns: async () => ({ done: await this.choose(runIds) }),
          },
          channel,
          'webview',
        ),
      ],
    });
  }

  /** Calls the tab by what it compares. One whose runs can't be read keeps its name: its page says what is wrong. */
  async #name(panel: vscode.WebviewPanel, runIds: readonly string[]): Promise<void> {
    const shown = await Promise.all(runIds.map(runId => this.#coach.api.runs.show({ runId }))).catch(() => null);
    const isOpen = this.#panels.get(runIds.join(' ')) === panel;
    if (shown !== null && isOpen) panel.title = comparisonTitle(shown.map(({ run }) => run));
  }

  async #openTrial(runIds: readonly string[], trialId: string): Promise<void> {
    for (const runId of runIds) {
      const { run, trials } = await this.#coach.api.runs.show({ runId });
      if (trials.some(trial => trial.id === trialId)) return this.#runPanels.open(run, trialId);
    }
    throw new CoachError('trial.missing', `No trial ${trialId} in these runs.`);
  }
}

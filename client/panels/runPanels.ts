import * as vscode from 'vscode';
import { publish, serve } from '../../protocol/api.ts';
import { runPage } from '../../protocol/pages.ts';
import { type RunSummary, runs } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { runPanelType } from '../contributions.ts';
import { eventInEditor, trialInEditor } from '../failures.ts';
import { runTitle } from '../views/runTitle.ts';
import { showPage } from './page.ts';
import { type RunLinks, runPageHandlers } from './runPageHandlers.ts';

/** The run panels of this window: one per run, restored after a reload. */
export class RunPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #coach: Coach;
  readonly #links: RunLinks;
  readonly #panels = new Map<string, { panel: vscode.WebviewPanel; select(trialId: string): void }>();

  constructor(coach: Coach, links: RunLinks) {
    this.#coach = coach;
    this.#links = links;
  }

  /** Shows the run's panel, with one of its trials selected when that is given. */
  open(run: Pick<RunSummary, 'id' | 'createdAt' | 'agents'>, trialId?: string): void {
    const { id } = run;
    const existing = this.#panels.get(id);
    if (existing !== undefined) {
      if (trialId !== undefined) existing.select(trialId);
      existing.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(runPanelType, runTitle(run), vscode.ViewColumn.Active, {
      enableFindWidget: true,
    });
    this.#attach(panel, id, trialId);
  }

  /** The run whose page the person looks at. */
  inFront(): string | undefined {
    return [...this.#panels].find(([, { panel }]) => panel.active)?.[0];
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { runId } = (state ?? {}) as { runId?: unknown };
    if (typeof runId === 'string') this.#attach(panel, runId);
    else panel.dispose();
  }

  dispose(): void {
    for (const { panel } of this.#panels.values()) panel.dispose();
  }

  #attach(panel: vscode.WebviewPanel, runId: string, trialId?: string): void {
    const { runs: api } = this.#coach.api;
    showPage(this.#coach, panel, {
      name: 'run',
      icon: 'run.svg',
      facts: { runId, ...(trialId === undefined ? {} : { trialId }) },
      serve: channel => {
        const tell = (selected: string) => publish(runPage, channel, 'selected', { trialId: selected });
        let wanted: string | undefined;
        const select = (selected: string) => {
          // A page behind another is made anew when it is shown, and hears nothing before it asks.
          if (panel.visible) tell(selected);
          else wanted = selected;
        };
        this.#panels.set(runId, { panel, select });
        return [
          new vscode.Disposable(() => this.#panels.delete(runId)),
          serve(
            runs,
            {
              ...api,
              async show(params, signal) {
                const shown = await api.show(params, signal);
                if (wanted !== undefined) tell(wanted);
                wanted = undefined;
                return { ...shown, trials: shown.trials.map(trialInEditor) };
              },
              events: async (params, signal) => ({
                events: (await api.events(params, signal)).events.map(eventInEditor),
              }),
            },
            channel,
            'webview',
          ),
          serve(runPage, runPageHandlers(this.#coach, runId, this.#links), channel, 'webview'),
          api.on('changed', run => {
            if (run.id === runId) publish(runs, channel, 'changed', run);
          }),
          api.on('trialChanged', trial => {
            if (trial.runId === runId) publish(runs, channel, 'trialChanged', trialInEditor(trial));
          }),
          api.on('progress', event => {
            if (event.runId === runId) publish(runs, channel, 'progress', eventInEditor(event));
          }),
        ];
      },
    });
  }
}

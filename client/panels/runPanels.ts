import * as vscode from 'vscode';
import { type Handlers, publish, serve } from '../../protocol/api.ts';
import { portChannel } from '../../protocol/channels/port.ts';
import { CoachError } from '../../protocol/errors.ts';
import { runPage } from '../../protocol/pages.ts';
import { type RunSummary, runs } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { confirmCancel, openReport, openSession } from '../commands/runActions.ts';
import { runPanelType } from '../contributions.ts';
import { reviewDiff } from '../review/diff.ts';
import { listArtifacts, openArtifact } from './artifacts.ts';
import { pageHtml } from './html.ts';

/** The run panels of this window: one per run, restored after a reload. */
export class RunPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #coach: Coach;
  readonly #panels = new Map<string, { panel: vscode.WebviewPanel; select(trialId: string): void }>();

  constructor(coach: Coach) {
    this.#coach = coach;
  }

  /** Shows the run's panel, with one of its trials selected when that is given. */
  open({ id, tasks }: Pick<RunSummary, 'id' | 'tasks'>, trialId?: string): void {
    const existing = this.#panels.get(id);
    if (existing !== undefined) {
      existing.panel.reveal();
      if (trialId !== undefined) existing.select(trialId);
      return;
    }
    const title = vscode.l10n.t('Run: {0}', tasks.join(', '));
    const panel = vscode.window.createWebviewPanel(runPanelType, title, vscode.ViewColumn.Active, {
      enableFindWidget: true,
    });
    this.#attach(panel, id, trialId);
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
    const coach = this.#coach;
    const channel = portChannel({
      post: message => void panel.webview.postMessage(message),
      onMessage: listener => panel.webview.onDidReceiveMessage(listener),
    });
    const select = (selected: string) => publish(runPage, channel, 'selected', { trialId: selected });
    const subscriptions = [
      channel,
      serve(runs, coach.api.runs, channel, 'webview'),
      serve(runPage, this.#pageHandlers(runId), channel, 'webview'),
      coach.api.runs.on('changed', run => {
        if (run.id === runId) publish(runs, channel, 'changed', run);
      }),
      coach.api.runs.on('trialChanged', trial => {
        if (trial.runId === runId) publish(runs, channel, 'trialChanged', trial);
      }),
      coach.api.runs.on('progress', event => {
        if (event.runId === runId) publish(runs, channel, 'progress', event);
      }),
      coach.server.onDidChangeState(state => publish(runPage, channel, 'serverChanged', { state })),
    ];
    this.#panels.set(runId, { panel, select });
    panel.onDidDispose(() => {
      this.#panels.delete(runId);
      for (const subscription of subscriptions.reverse()) subscription.dispose();
    });
    const assets = vscode.Uri.joinPath(coach.extensionUri, 'dist', 'webview');
    panel.iconPath = vscode.Uri.joinPath(coach.extensionUri, 'media', 'run.svg');
    panel.webview.options = { enableScripts: true, localResourceRoots: [assets] };
    panel.webview.html = pageHtml({
      page: 'run',
      facts: { runId, ...(trialId === undefined ? {} : { trialId }) },
      language: vscode.env.language,
      cspSource: panel.webview.cspSource,
      asset: name => panel.webview.asWebviewUri(vscode.Uri.joinPath(assets, name)).toString(),
    });
  }

  #pageHandlers(runId: string): Handlers<typeof runPage> {
    const coach = this.#coach;
    const done = { done: true };
    const trial = async (trialId: string) => {
      const { trials } = await coach.api.runs.show({ runId });
      const found = trials.find(candidate => candidate.id === trialId);
      if (found === undefined) throw new CoachError('trial.missing', `No trial ${trialId} in this run.`);
      return found;
    };
    return {
      artifacts: async ({ trialId }) => ({ rows: await listArtifacts(await trial(trialId)) }),
      async openArtifact({ trialId, path }) {
        await openArtifact(await trial(trialId), path);
        return done;
      },
      async reviewDiff({ trialId }) {
        await reviewDiff(coach, await trial(trialId));
        return done;
      },
      async openReport() {
        await openReport(coach, runId);
        return done;
      },
      async openSession({ sessionId }) {
        await openSession(sessionId, sessionId);
        return done;
      },
      cancel: async () => ({ done: await confirmCancel(coach, runId) }),
      async restartServer() {
        await coach.server.restart();
        return done;
      },
      serverState: () => ({ state: coach.server.state }),
    };
  }
}

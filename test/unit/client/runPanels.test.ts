import { beforeEach, expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import type { Coach } from '../../../client/coach.ts';
import { RunPanels } from '../../../client/panels/runPanels.ts';
import { remote } from '../../../protocol/api.ts';
import { portChannel } from '../../../protocol/channels/port.ts';
import { runPage } from '../../../protocol/pages.ts';
import { runs } from '../../../protocol/runs.ts';
import { absentRuns } from '../../e2e/pages/compareHost.ts';
import { aRun } from '../../fakes/scriptedRun.ts';

const editor = vi.hoisted(() => ({ panel: {} as object }));
vi.mock('vscode', () => ({
  env: { language: 'en' },
  extensions: { getExtension: () => undefined },
  l10n: { t: (text: string) => text, bundle: undefined },
  Uri: { joinPath: () => 'place' },
  ViewColumn: { Active: -1 },
  Disposable: class {
    readonly dispose: () => void;
    constructor(dispose: () => void) {
      this.dispose = dispose;
    }
  },
  window: { createWebviewPanel: () => editor.panel },
}));

/** What the pages in the panel are told by the editor; one that is not in front is gone, and hears nothing. */
let told: string[] = [];

function aPanel() {
  let toEditor = (_: unknown): void => undefined;
  let toPage = (_: unknown): void => undefined;
  const panel = {
    visible: true,
    title: 'Run',
    reveal: () => undefined,
    onDidDispose: () => undefined,
    webview: {
      cspSource: 'csp',
      asWebviewUri: String,
      postMessage: async (message: unknown) => panel.visible && toPage(message),
      onDidReceiveMessage: (listener: typeof toEditor) => {
        toEditor = listener;
        return { dispose: () => undefined };
      },
    },
  };
  /** As the editor does it whenever the panel comes to the front. */
  const makePage = () => {
    const channel = portChannel({
      post: message => toEditor(message),
      onMessage(listener) {
        toPage = listener;
        return { dispose: () => undefined };
      },
    });
    remote(runPage, channel).on('selected', ({ trialId }) => told.push(trialId));
    return remote(runs, channel);
  };
  return { panel, makePage };
}

beforeEach(() => {
  told = [];
});

it('shows the trial that was asked for, also on a page that stood behind another', async () => {
  const run = aRun();
  const subscription = () => ({ dispose: () => undefined });
  const coach = {
    server: { state: 'up', onDidChangeState: subscription },
    api: { runs: { ...absentRuns, show: async () => ({ run, trials: [], regrades: [] }), on: subscription } },
  } as unknown as Coach;
  const panels = new RunPanels(coach, { openSession: () => undefined, compare: () => undefined });
  const { panel, makePage } = aPanel();
  editor.panel = panel as unknown as vscode.WebviewPanel;
  panels.open(run);
  await makePage().show({ runId: run.id });
  expect(told).toEqual([]);
  panels.open(run, 'one');
  await vi.waitFor(() => expect(told).toEqual(['one']));

  panel.visible = false;
  panels.open(run, 'two');
  panel.visible = true;
  const again = makePage();
  await again.show({ runId: run.id });
  await again.show({ runId: run.id });
  expect(told).toEqual(['one', 'two']);
});

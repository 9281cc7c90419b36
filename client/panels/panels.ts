import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { comparePanelType, runPanelType, sessionPanelType } from '../contributions.ts';
import { ComparePanels } from './comparePanels.ts';
import { registerRecordedText } from './recordedText.ts';
import { RunPanels } from './runPanels.ts';
import { SessionPanels } from './sessionPanels.ts';

export interface Panels extends vscode.Disposable {
  readonly runs: RunPanels;
  readonly sessions: SessionPanels;
  readonly comparisons: ComparePanels;
}

/** All pages of this window. They lead to one another, and come back after a reload. */
export function createPanels(coach: Coach): Panels {
  const sessions = new SessionPanels(coach);
  const runs = new RunPanels(coach, {
    openSession: sessionId => sessions.open(sessionId),
    compare: runIds => comparisons.open(runIds),
  });
  const comparisons = new ComparePanels(coach, runs);
  const owned = vscode.Disposable.from(
    runs,
    sessions,
    comparisons,
    registerRecordedText(coach),
    vscode.window.registerWebviewPanelSerializer(runPanelType, runs),
    vscode.window.registerWebviewPanelSerializer(sessionPanelType, sessions),
    vscode.window.registerWebviewPanelSerializer(comparePanelType, comparisons),
  );
  return { runs, sessions, comparisons, dispose: () => void owned.dispose() };
}

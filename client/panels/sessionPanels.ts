import * as vscode from 'vscode';
import { publish, serve } from '../../protocol/api.ts';
import { sessionPage } from '../../protocol/pages.ts';
import { type SessionOpening, type SessionSummary, sessions } from '../../protocol/sessions.ts';
import { visible } from '../../protocol/visibleText.ts';
import type { Coach } from '../coach.ts';
import { exportSession } from '../commands/exportSession.ts';
import { openSessionText } from '../commands/runActions.ts';
import { sessionPanelType } from '../contributions.ts';
import { showPage } from './page.ts';
import { lineUri } from './recordedText.ts';
import { openTouchedFile } from './touchedFile.ts';

/** Longest title of a tab. */
const titleLength = 60;

/** The session panels of this window: one per session, restored after a reload. */
export class SessionPanels implements vscode.WebviewPanelSerializer, vscode.Disposable {
  readonly #coach: Coach;
  readonly #panels = new Map<string, vscode.WebviewPanel>();

  constructor(coach: Coach) {
    this.#coach = coach;
  }

  /** `known`: what a list has said of it, with which the page begins. */
  open(sessionId: string, known?: SessionSummary): void {
    const existing = this.#panels.get(sessionId);
    if (existing !== undefined) {
      existing.reveal();
      return;
    }
    const title = vscode.l10n.t('Session');
    this.#attach(vscode.window.createWebviewPanel(sessionPanelType, title, vscode.ViewColumn.Active), sessionId, known);
  }

  /** The session whose page the person looks at. */
  inFront(): string | undefined {
    return [...this.#panels].find(([, panel]) => panel.active)?.[0];
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { sessionId } = (state ?? {}) as { sessionId?: unknown };
    if (typeof sessionId === 'string') this.#attach(panel, sessionId);
    else panel.dispose();
  }

  dispose(): void {
    for (const panel of this.#panels.values()) panel.dispose();
  }

  #attach(panel: vscode.WebviewPanel, sessionId: string, known?: SessionSummary): void {
    const coach = this.#coach;
    const api = coach.api.sessions;
    const done = { done: true };
    const named = <T extends { session: SessionSummary }>(answer: T): T => {
      panel.title = visible(answer.session.title).slice(0, titleLength) || sessionId;
      return answer;
    };
    // Asked for while the page is still being loaded, which takes longer than the answer.
    let early: Promise<SessionOpening> | null = api.opening({ sessionId });
    early.catch(() => undefined);
    this.#panels.set(sessionId, panel);
    showPage(coach, panel, {
      name: 'session',
      icon: 'run.svg',
      facts: { sessionId, ...(known === undefined ? {} : { session: JSON.stringify(known) }) },
      serve: channel => [
        new vscode.Disposable(() => this.#panels.delete(sessionId)),
        serve(
          sessions,
          {
            ...api,
            async opening(params, signal) {
              const asked = early ?? api.opening(params, signal);
              early = null;
              return named(await asked);
            },
            exchanges: async (params, signal) => named(await api.exchanges(params, signal)),
          },
          channel,
          'webview',
        ),
        serve(
          sessionPage,
          {
            async openFile(file) {
              const { session } = await api.exchanges({ sessionId });
              await openTouchedFile(file, session.repository);
              return done;
            },
            async openText({ line }) {
              await vscode.window.showTextDocument(await lineUri(coach, sessionId, line), { preview: true });
              return done;
            },
            async openConversation() {
              await openSessionText(sessionId, panel.title);
              return done;
            },
            export: async () => ({ done: await exportSession(coach, sessionId) }),
          },
          channel,
          'webview',
        ),
        api.on('changed', session => {
          if (session.id === sessionId) publish(sessions, channel, 'changed', session);
        }),
      ],
    });
  }
}

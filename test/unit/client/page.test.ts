import { expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import type { Coach } from '../../../client/coach.ts';
import { showPage } from '../../../client/panels/page.ts';

vi.mock('vscode', () => ({
  env: { language: 'en' },
  extensions: { getExtension: () => undefined },
  l10n: { t: (text: string) => text, bundle: undefined },
  Uri: { joinPath: () => 'place' },
}));

/** A panel as the editor has it: of one that is closed, nothing can be asked any more. */
function aPanel() {
  let isOpen = true;
  let closed = (): void => undefined;
  let receive = (_: unknown): void => undefined;
  const posted: unknown[] = [];
  const webview = {
    cspSource: 'csp',
    options: {},
    html: '',
    asWebviewUri: String,
    postMessage: async (message: unknown) => posted.push(message),
    onDidReceiveMessage: (listener: typeof receive) => {
      receive = listener;
      return { dispose: () => undefined };
    },
  };
  const panel = {
    title: 'Run',
    iconPath: undefined,
    get webview() {
      if (!isOpen) throw new Error('Webview is disposed');
      return webview;
    },
    onDidDispose: (listener: typeof closed) => {
      closed = listener;
    },
  };
  const close = () => {
    isOpen = false;
    closed();
  };
  return { panel: panel as unknown as vscode.WebviewPanel, posted, close, ask: (message: object) => receive(message) };
}

it('leaves a request of a page that was closed meanwhile unanswered', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  onTestFinished(() => void process.off('unhandledRejection', unhandled));
  const { panel, posted, close, ask } = aPanel();
  const answered = Promise.withResolvers<object>();
  const server = { state: 'up', onDidChangeState: () => ({ dispose: () => undefined }) };
  showPage({ server, extensionUri: 'here' } as unknown as Coach, panel, {
    name: 'run',
    icon: 'run.svg',
    facts: {},
    serve: channel => [channel.onRequest('slow', () => answered.promise)],
  });
  ask({ kind: 'request', id: 1, method: 'slow', params: {} });
  close();
  answered.resolve({});
  await new Promise(resolve => setTimeout(resolve, 10));
  expect([unhandled.mock.calls, posted]).toEqual([[], []]);
});

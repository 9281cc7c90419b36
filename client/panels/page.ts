import * as vscode from 'vscode';
import { publish, serve } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { portChannel } from '../../protocol/channels/port.ts';
import { serverLink } from '../../protocol/pages.ts';
import type { Coach } from '../coach.ts';
import { faultInEditor } from '../failures.ts';
import { pageHtml } from './html.ts';

interface Page {
  /** Name of the bundle in dist/webview. */
  readonly name: 'run' | 'session' | 'compare';
  readonly icon: string;
  /** What the page starts from. */
  readonly facts: Readonly<Record<string, string>>;
  /** Answers the page's requests and sends it events, until the panel is closed. */
  serve(channel: Channel): vscode.Disposable[];
}

/** Puts a page of ours into a panel. It gets the requests that are served here, and nothing else. */
export function showPage(coach: Coach, panel: vscode.WebviewPanel, page: Page): void {
  let isOpen = true;
  const port = portChannel({
    post(message) {
      // A closed panel has no webview to ask for: an answer that comes late is for nobody.
      if (isOpen) void panel.webview.postMessage(message);
    },
    onMessage: listener => panel.webview.onDidReceiveMessage(listener),
  });
  const channel: Channel = {
    ...port,
    onRequest: (method, handler) =>
      port.onRequest(method, (params, signal) =>
        handler(params, signal).catch((error: unknown) => {
          throw faultInEditor(error);
        }),
      ),
  };
  const subscriptions = [
    port,
    serve(
      serverLink,
      {
        state: () => ({ state: coach.server.state }),
        async restart() {
          await coach.server.restart();
          return { done: true };
        },
      },
      channel,
      'webview',
    ),
    coach.server.onDidChangeState(state => publish(serverLink, channel, 'changed', { state })),
    ...page.serve(channel),
  ];
  panel.onDidDispose(() => {
    isOpen = false;
    for (const subscription of subscriptions.reverse()) subscription.dispose();
  });
  const assets = vscode.Uri.joinPath(coach.extensionUri, 'dist', 'webview');
  panel.iconPath = vscode.Uri.joinPath(coach.extensionUri, 'media', page.icon);
  panel.webview.options = { enableScripts: true, localResourceRoots: [assets] };
  panel.webview.html = pageHtml({
    page: page.name,
    title: panel.title,
    facts: page.facts,
    // Without a translation the page is in English, whatever the editor speaks.
    language: vscode.l10n.bundle === undefined ? 'en' : vscode.env.language,
    translations: vscode.l10n.bundle,
    cspSource: panel.webview.cspSource,
    asset: name => panel.webview.asWebviewUri(vscode.Uri.joinPath(assets, name)).toString(),
  });
}

import * as l10n from '@vscode/l10n';
import type { Channel } from '../protocol/channel.ts';
import { portChannel } from '../protocol/channels/port.ts';

export interface Host {
  readonly channel: Channel;
  /** What the editor hands back to restore this page after a reload. */
  remember(state: unknown): void;
}

/** The editor around this page, and its language. Asked for once per page, before anything is drawn. */
export function connectHost(): Host {
  const { translations } = document.body.dataset;
  if (translations !== undefined) l10n.config({ contents: translations });
  const editor = acquireVsCodeApi();
  const channel = portChannel({
    post: message => editor.postMessage(message),
    onMessage(listener) {
      const receive = (event: MessageEvent<unknown>) => {
        // The editor's own frame relays its messages; another window's are not for us.
        if (event.origin === window.origin || event.source === window.parent) listener(event.data);
      };
      window.addEventListener('message', receive);
      return { dispose: () => window.removeEventListener('message', receive) };
    },
  });
  return { channel, remember: state => editor.setState(state) };
}

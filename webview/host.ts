import * as l10n from '@vscode/l10n';
import type { Channel } from '../protocol/channel.ts';
import { portChannel } from '../protocol/channels/port.ts';

/** A person who scrolls is not written down at each step. */
const rememberDelayMs = 300;

/** The editor makes a page anew after a reload of the window, and each time that its tab comes to the front. */
export interface Host {
  readonly channel: Channel;
  /** What the page before this one remembered, for a schema that doubts it; undefined for the first. */
  readonly remembered: unknown;
  remember(state: unknown): void;
  /** In a moment, what it is by then. */
  rememberSoon(state: () => unknown): void;
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
  let isSoon = false;
  return {
    channel,
    remembered: editor.getState(),
    remember: state => editor.setState(state),
    rememberSoon(state) {
      if (isSoon) return;
      isSoon = true;
      setTimeout(() => {
        isSoon = false;
        editor.setState(state());
      }, rememberDelayMs);
    },
  };
}

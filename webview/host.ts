import type { Channel } from '../protocol/channel.ts';
import { portChannel } from '../protocol/channels/port.ts';

export interface Host {
  readonly channel: Channel;
  /** What the editor hands back to restore this page after a reload. */
  remember(state: unknown): void;
}

/** The editor around this page. Can be asked for once per page. */
export function connectHost(): Host {
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

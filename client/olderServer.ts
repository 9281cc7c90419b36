import * as vscode from 'vscode';
import { remote } from '../protocol/api.ts';
import { server } from '../protocol/server.ts';
import { showWarning } from './messages.ts';
import type { Connection } from './serverClient.ts';

const askEveryMs = 60_000;

/** A server older than this extension that goes on because it is in use: said once, and asked again until it leaves. */
export class OlderServer implements vscode.Disposable {
  #timer: NodeJS.Timeout | undefined;
  #told: number | undefined;

  /** The end of its stream then lets the window start one of its own. */
  wait({ channel, info }: Connection): void {
    this.dispose();
    this.#timer = setInterval(() => {
      void remote(server, channel)
        .stop({ drain: true })
        .catch(() => undefined);
    }, askEveryMs);
    if (this.#told === info.pid) return;
    this.#told = info.pid;
    void showWarning(
      vscode.l10n.t(
        'An older background server ({0}) is still used by running agents or trials. It is replaced when they are done.',
        info.version,
      ),
    );
  }

  /** Asks no more. */
  dispose(): void {
    clearInterval(this.#timer);
  }
}

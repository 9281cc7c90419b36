import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';

interface Left {
  readonly token: string;
  /** Terminals that were open when it was left, and may have an agent that knows no other way. */
  readonly terminals: Set<vscode.Terminal>;
}

/**
 * Closes launches whose variables terminals were given. An agent can't be told of another while it runs, so a launch that new
 * terminals no longer get is kept until the last terminal that may have it is closed.
 */
export class TerminalLaunches implements vscode.Disposable {
  readonly #coach: Coach;
  readonly #left = new Set<Left>();
  readonly #subscription: vscode.Disposable;

  constructor(coach: Coach) {
    this.#coach = coach;
    this.#subscription = vscode.window.onDidCloseTerminal(terminal => {
      for (const left of this.#left) if (left.terminals.delete(terminal)) this.#closeUnused(left);
    });
  }

  /** A launch that no terminal was given. */
  close(token: string | null): void {
    // Where the server is down, the next one forgets it in time.
    if (token === null || this.#coach.server.state === 'down') return;
    void this.#coach.api.proxy.close({ token }).catch(() => undefined);
  }

  /** A launch that terminals opened from now on are not given. */
  leave(token: string | null): void {
    if (token === null) return;
    const left = { token, terminals: new Set(vscode.window.terminals) };
    this.#left.add(left);
    this.#closeUnused(left);
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#left.clear();
  }

  #closeUnused(left: Left): void {
    if (left.terminals.size > 0) return;
    this.#left.delete(left);
    this.close(left.token);
  }
}

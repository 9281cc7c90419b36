import type { ServerState } from '../../../protocol/pages.ts';
import type { TouchedFile } from '../../../protocol/sessions.ts';
import type { Part, SessionModel } from './sessionModel.ts';

/** What every part of the page draws from. */
export interface SessionContext {
  readonly model: SessionModel;
  readonly server: ServerState;
  /** What went wrong last, in words; null after it went away. */
  readonly fault: string | null;
  readonly query: string;
  readonly isSearching: boolean;
  readonly showsChanges: boolean;
  readonly actions: SessionActions;
}

export interface SessionActions {
  search(text: string): void;
  /** To the next hit, or with -1 to the one before. */
  step(by: 1 | -1): void;
  show(part: Part, isShown: boolean): void;
  showChanges(isShown: boolean): void;
  /** Unfolds a line or folds it, by its key. */
  toggle(key: string): void;
  toggleChanges(exchangeId: string): void;
  /** Scrolls an exchange to the top, counted from 0. */
  goTo(exchange: number): void;
  openFile(file: TouchedFile): void;
  /** Opens a line, by its number. */
  openText(line: number): void;
  openConversation(): void;
  exportSession(): void;
  restartServer(): void;
}

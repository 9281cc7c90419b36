import type * as vscode from 'vscode';
import type { CoachApi } from './api.ts';
import type { ApiKeys } from './keys.ts';
import type { CoachServer } from './server.ts';

/** What commands, views and panels work with. One per window. */
export interface Coach {
  readonly server: CoachServer;
  readonly api: CoachApi;
  /** For requests that need a model; what they lack is asked for. */
  readonly keys: ApiKeys;
  readonly log: vscode.LogOutputChannel;
  readonly extensionUri: vscode.Uri;
}

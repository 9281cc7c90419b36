import type * as vscode from 'vscode';
import type { CoachApi } from './api.ts';
import type { CoachServer } from './server.ts';

/** What commands, views and panels work with. One per window. */
export interface Coach {
  readonly server: CoachServer;
  readonly api: CoachApi;
  readonly log: vscode.LogOutputChannel;
  readonly extensionUri: vscode.Uri;
}

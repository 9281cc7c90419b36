import * as vscode from 'vscode';
import { fileScheme } from '../contributions.ts';

export type Side = 'start' | 'agent' | 'reference';

/** Whose files are shown: a trial's, or those that a recorded session found and left. */
export type Origin =
  | { readonly kind: 'trial'; readonly trialId: string }
  | { readonly kind: 'session'; readonly sessionId: string; readonly repository: string };

/** A file on one side; `blob` is what its content has to be, null where that is not known yet. */
export interface RecordedFile {
  readonly origin: Origin;
  readonly side: Side;
  readonly path: string;
  readonly blob: string | null;
}

/** The path stays the file's own, so the editor shows and colours it as such. */
export function toUri({ origin, side, path, blob }: RecordedFile): vscode.Uri {
  const named: Record<string, string> =
    origin.kind === 'trial' ? { trial: origin.trialId } : { session: origin.sessionId, repository: origin.repository };
  const query = new URLSearchParams(blob === null ? named : { ...named, blob }).toString();
  return vscode.Uri.from({ scheme: fileScheme, authority: side, path: `/${path}`, query });
}

/** Null for a document of another kind. */
export function toRecordedFile(uri: Pick<vscode.Uri, 'scheme' | 'authority' | 'path' | 'query'>): RecordedFile | null {
  if (uri.scheme !== fileScheme || !['start', 'agent', 'reference'].includes(uri.authority)) return null;
  const named = new URLSearchParams(uri.query);
  const [trialId, sessionId, repository] = ['trial', 'session', 'repository'].map(name => named.get(name));
  const file = { side: uri.authority as Side, path: uri.path.slice(1), blob: named.get('blob') };
  if (trialId) return { ...file, origin: { kind: 'trial', trialId } };
  if (sessionId && repository) return { ...file, origin: { kind: 'session', sessionId, repository } };
  return null;
}

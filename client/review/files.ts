import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { fileScheme } from '../contributions.ts';
import { toMarkdown } from './conversation.ts';

export type TrialSide = 'start' | 'agent' | 'reference';

/** Contents kept at once; a diff asks for each side of each file several times. */
const cacheSize = 200;

/** A file as it was in a trial. The path stays the file's own, so the editor shows and colours it as such. */
export function trialFileUri(trialId: string, side: TrialSide, path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: fileScheme, authority: side, path: `/${path}`, query: trialId });
}

/** A recorded conversation as a read-only Markdown document. */
export function conversationUri(sessionId: string, title: string): vscode.Uri {
  const words = title.replaceAll(/[^\p{L}\p{N} ._-]+/gu, ' ').replaceAll(/ +/g, ' ');
  const name = words.slice(0, 60).trim() || sessionId;
  return vscode.Uri.from({ scheme: fileScheme, authority: 'session', path: `/${name}.md`, query: sessionId });
}

/** Serves `codex-coach:` documents from the background server. What it serves never changes. */
export class RecordedFiles implements vscode.FileSystemProvider {
  readonly #coach: Coach;
  readonly #contents = new Map<string, Promise<Uint8Array>>();
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;

  constructor(coach: Coach) {
    this.#coach = coach;
  }

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const content = await this.readFile(uri);
    return {
      type: vscode.FileType.File,
      ctime: 0,
      mtime: 0,
      size: content.byteLength,
      permissions: vscode.FilePermission.Readonly,
    };
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    // A session can still grow; a trial's files can't.
    if (uri.authority === 'session') return this.#conversation(uri);
    const key = uri.toString();
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    const content = this.#trialFile(uri);
    this.#contents.set(key, content);
    content.catch(() => this.#contents.delete(key));
    const oldest = this.#contents.keys().next().value;
    if (this.#contents.size > cacheSize && oldest !== undefined) this.#contents.delete(oldest);
    return content;
  }

  async #trialFile(uri: vscode.Uri): Promise<Uint8Array> {
    const { contentBase64 } = await this.#coach.api.runs.file({
      trialId: uri.query,
      side: uri.authority as TrialSide,
      path: uri.path.slice(1),
    });
    if (contentBase64 === null) throw vscode.FileSystemError.FileNotFound(uri);
    return Buffer.from(contentBase64, 'base64');
  }

  async #conversation(uri: vscode.Uri): Promise<Uint8Array> {
    const { session, conversation } = await this.#coach.api.sessions.show({ sessionId: uri.query });
    return Buffer.from(toMarkdown(session.title, conversation));
  }

  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  readDirectory(): never {
    throw vscode.FileSystemError.Unavailable('Recorded files are opened one by one.');
  }

  createDirectory(): never {
    throw readOnly();
  }

  writeFile(): never {
    throw readOnly();
  }

  delete(): never {
    throw readOnly();
  }

  rename(): never {
    throw readOnly();
  }
}

function readOnly(): Error {
  return vscode.FileSystemError.NoPermissions('Recorded files are read-only.');
}

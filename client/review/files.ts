import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { fileScheme } from '../contributions.ts';
import { toMarkdown } from './conversation.ts';
import { type RecordedFile, toRecordedFile } from './uris.ts';

/** Contents kept at once; a diff asks for each side of each file several times. */
const cacheSize = 200;

/** A recorded conversation as a read-only Markdown document. */
export function conversationUri(sessionId: string, title: string): vscode.Uri {
  const words = title.replaceAll(/[^\p{L}\p{N} ._-]+/gu, ' ').replaceAll(/ +/g, ' ');
  const name = words.slice(0, 60).trim() || sessionId;
  return vscode.Uri.from({ scheme: fileScheme, authority: 'session', path: `/${name}.md`, query: sessionId });
}

/** Serves `codex-coach:` documents from the background server. A file is known by its blob, so what it serves never changes. */
export class RecordedFiles implements vscode.FileSystemProvider {
  readonly #coach: Coach;
  readonly #contents = new Map<string, Promise<Uint8Array>>();
  readonly #versions = new Map<string, Uint8Array>();
  readonly onDidChangeFile = new vscode.EventEmitter<vscode.FileChangeEvent[]>().event;

  constructor(coach: Coach) {
    this.#coach = coach;
  }

  /** A document that lives as long as this window, for a version of a file that only exists here. */
  keep(path: string, content: Uint8Array): vscode.Uri {
    const uri = vscode.Uri.from({ scheme: fileScheme, authority: 'kept', path: `/${path}`, query: hash('', content) });
    this.#versions.set(uri.toString(), content);
    return uri;
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
    // A session can still grow; the other files can't.
    if (uri.authority === 'session') return this.#conversation(uri);
    const kept = this.#versions.get(uri.toString());
    if (kept !== undefined) return Promise.resolve(kept);
    const file = toRecordedFile(uri);
    if (file === null) return Promise.reject(vscode.FileSystemError.FileNotFound(uri));
    const key = file.blob ?? uri.toString();
    const known = this.#contents.get(key);
    if (known !== undefined) return known;
    const content = this.#load(uri, file);
    this.#contents.set(key, content);
    content.catch(() => this.#contents.delete(key));
    const oldest = this.#contents.keys().next().value;
    if (this.#contents.size > cacheSize && oldest !== undefined) this.#contents.delete(oldest);
    return content;
  }

  async #load(uri: vscode.Uri, { origin, side, path, blob }: RecordedFile): Promise<Uint8Array> {
    const { api } = this.#coach;
    const { contentBase64 } =
      origin.kind === 'trial'
        ? await api.runs.file({ trialId: origin.trialId, side, path })
        : await api.reviews.sessionFile({ ...origin, side: side === 'start' ? side : 'agent', path });
    if (contentBase64 === null) throw vscode.FileSystemError.FileNotFound(uri);
    const content = Buffer.from(contentBase64, 'base64');
    if (blob !== null && hash(`blob ${content.length}\0`, content) !== blob) {
      throw vscode.FileSystemError.Unavailable(
        vscode.l10n.t('{0} is no longer what was reviewed. Open the review again.', path),
      );
    }
    return content;
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

/** As git names a blob by its content. */
function hash(head: string, content: Uint8Array): string {
  return createHash('sha1').update(head).update(content).digest('hex');
}

function readOnly(): Error {
  return vscode.FileSystemError.NoPermissions('Recorded files are read-only.');
}

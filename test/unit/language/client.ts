import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { duplexPair } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import {
  type CodeAction,
  type CodeLens,
  type CompletionItem,
  createProtocolConnection,
  type Diagnostic,
  type DocumentLink,
  type Hover,
  type Position,
  type ProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { EventBus } from '../../../server/base/bus.ts';
import type { TrialHistory } from '../../../server/language/history.ts';
import { createTaskFiles } from '../../../server/language/taskFiles.ts';
import { type ClientDeps, serveClient } from '../../../server/surfaces/clients.ts';
import { temporaryDirectory } from '../../temporary.ts';

export const token = 'the token';

const status = {
  ...{ version: '0.0.0', pid: 1, home: '/', startedAt: '2026-11-21T00:00:00.000Z', clients: 1, runningTrials: 0 },
  ...{ log: '/log', outerProxy: null, settings: {} },
};

const noHistory: TrialHistory = { endedTrials: () => [], run: () => null };

/** A server of its own behind a pipe, and a client that knows the protocol and nothing of us. */
export async function aServer(history: TrialHistory = noHistory): Promise<PlainClient & { readonly bus: EventBus }> {
  const bus = new EventBus();
  const taskFiles = createTaskFiles(async () => history);
  const client = behindPipe(async () => taskFiles, bus);
  await client.initialize();
  await client.hello(token);
  return { ...client, bus };
}

/** The same before the client has said a word. */
export function behindPipe(taskFiles: ClientDeps['taskFiles'], bus = new EventBus()): PlainClient {
  const [ours, theirs] = duplexPair();
  serveClient(ours, { domains: {}, bus, token, greet: () => status, taskFiles }, () => undefined);
  const connection = createProtocolConnection(new StreamMessageReader(theirs), new StreamMessageWriter(theirs));
  onTestFinished(() => {
    connection.dispose();
    theirs.destroy();
    ours.destroy();
  });
  return plainClient(connection);
}

export type PlainClient = ReturnType<typeof plainClient>;

/** What an editor does, and no more. */
export function plainClient(connection: ProtocolConnection) {
  const told = new Map<string, { version: number | undefined; diagnostics: Diagnostic[] }>();
  let times = 0;
  const waiting = new Set<() => void>();
  connection.onNotification('textDocument/publishDiagnostics', ({ uri, version, diagnostics }) => {
    times += 1;
    told.set(uri, { version, diagnostics });
    for (const look of [...waiting]) look();
  });
  connection.listen();
  const ask = <T>(method: string, document: TextDocument, more: object = {}): Promise<T> =>
    connection.sendRequest(method, { textDocument: { uri: document.uri }, ...more });
  return {
    connection,
    initialize: async (capabilities: object = {}) => {
      const result = await connection.sendRequest('initialize', { processId: null, rootUri: null, capabilities });
      await connection.sendNotification('initialized', {});
      return result as { capabilities: Record<string, unknown> };
    },
    hello: (shown: string) =>
      connection.sendRequest('coach/server/hello', { token: shown, version: '0.0.0', client: 'test' }),
    open: async (file: string, text: string): Promise<TextDocument> => {
      const language = file.endsWith('.toml') ? 'toml' : 'json';
      const uri = pathToFileURL(file).href;
      const textDocument = { uri, languageId: language, version: 1, text };
      await connection.sendNotification('textDocument/didOpen', { textDocument });
      return TextDocument.create(uri, language, 1, text);
    },
    change: async (document: TextDocument, start: number, end: number, text: string): Promise<TextDocument> => {
      const range = { start: document.positionAt(start), end: document.positionAt(end) };
      const version = document.version + 1;
      await connection.sendNotification('textDocument/didChange', {
        textDocument: { uri: document.uri, version },
        contentChanges: [{ range, text }],
      });
      return TextDocument.update(document, [{ range, text }], version);
    },
    /** What the server says of this version of the text. */
    diagnostics: ({ uri, version }: TextDocument): Promise<Diagnostic[]> =>
      new Promise(resolve => {
        const look = () => {
          const known = told.get(uri);
          if (known?.version !== version) return;
          waiting.delete(look);
          resolve(known.diagnostics);
        };
        waiting.add(look);
        look();
      }),
    lastSaid: ({ uri }: TextDocument) => told.get(uri)?.diagnostics,
    /** How often the server has spoken. */
    said: () => times,
    hasHeard: ({ uri }: TextDocument) => told.has(uri),
    complete: (document: TextDocument, position: Position) =>
      ask<CompletionItem[]>('textDocument/completion', document, { position }),
    hover: (document: TextDocument, position: Position) =>
      ask<Hover | null>('textDocument/hover', document, { position }),
    actions: (document: TextDocument, { range }: Pick<Diagnostic, 'range'>, only?: string[]) =>
      ask<CodeAction[]>('textDocument/codeAction', document, {
        range,
        context: { diagnostics: [], ...(only === undefined ? {} : { only }) },
      }),
    lenses: (document: TextDocument) => ask<CodeLens[]>('textDocument/codeLens', document),
    links: (document: TextDocument) => ask<DocumentLink[]>('textDocument/documentLink', document),
  };
}

/** The text after one of the fixes that are offered. */
export function applied(document: TextDocument, action: CodeAction | undefined): string {
  const edits = action?.edit?.changes?.[document.uri];
  if (edits === undefined) throw new Error('Nothing is offered.');
  return TextDocument.applyEdits(document, edits);
}

/** Where a text stands in the document; `|` in it marks the place, else its beginning. */
export function at(document: TextDocument, marked: string): Position {
  const offset = document.getText().indexOf(marked.replace('|', ''));
  if (offset < 0) throw new Error(`No ${marked} in the text.`);
  return document.positionAt(offset + Math.max(0, marked.indexOf('|')));
}

/** A repository with the directory of one task; files by their paths in it. */
export function aTask(state: 'created' | 'prepared', files: Readonly<Record<string, string>> = {}): string {
  const directory = join(temporaryDirectory(), '.coach', 'tasks', state, 'median');
  mkdirSync(directory, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

export const goodToml = `schema_version = "1.4"

[task]
name = "local/median"
keywords = []

[metadata.codex_coach]
format = 1
title = "Median 😀"
task_id = "median-1"
captured_at = "2026-11-21T00:00:00Z"
start_commit = "0"
files = ["src/median.js", "test/median.test.js"]
workdir = "/app"
test_command = "node --test"
result_format = "junit"
result_file = "/logs/verifier/junit.xml"

[agent]
timeout_sec = 1800

[verifier]
timeout_sec = 60

[environment]
cpus = 1
memory_mb = 2048
`;

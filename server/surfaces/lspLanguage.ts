import { pathToFileURL } from 'node:url';
import {
  type CodeAction,
  CodeActionKind,
  type CodeLens,
  type CompletionItem,
  CompletionItemKind,
  type Connection,
  type Diagnostic,
  DiagnosticSeverity,
  DiagnosticTag,
  type DocumentLink,
  type Hover,
  InsertTextFormat,
  type Range,
  type ServerCapabilities,
  TextDocumentSyncKind,
  TextDocuments,
  type TextEdit,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { methodOf } from '../../protocol/api.ts';
import { runs } from '../../protocol/runs.ts';
import { suites } from '../../protocol/suites.ts';
import { tasks } from '../../protocol/tasks.ts';
import type { EventBus } from '../base/bus.ts';
import { type AsyncOwner, DisposableStack } from '../base/disposable.ts';
import type { Proposal } from '../language/completion.ts';
import type { Problem } from '../language/problem.ts';
import type { TaskFiles } from '../language/taskFiles.ts';

export const languageCapabilities: ServerCapabilities = {
  textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
  completionProvider: { triggerCharacters: ['"', '[', '=', '.'] },
  hoverProvider: true,
  codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
  codeLensProvider: {},
  documentLinkProvider: {},
};

export interface LanguageDeps {
  readonly taskFiles: () => Promise<TaskFiles>;
  readonly bus: EventBus;
  /** Resolves when the client is known; nothing is said before. */
  readonly introduced: Promise<void>;
}

/** What the client says in `initialize` that it can do. */
export interface ClientAbilities {
  readonly snippets: boolean;
  readonly refreshesLenses: boolean;
}

/** So much quiet is waited for before a text is judged, while somebody types. */
const quietMs = 100;
/** After these, what was said of a task may be so no longer. */
const staleAfter: ReadonlySet<string> = new Set([tasks, suites, runs].map(({ name }) => methodOf(name, 'changed')));

/** Answers an editor's questions about the files of tasks that it has open, until disposed. */
export function serveTaskFiles(
  connection: Connection,
  deps: LanguageDeps,
  abilities: () => ClientAbilities,
): AsyncOwner {
  const owner = new DisposableStack();
  const documents = new TextDocuments(TextDocument);
  const judge = judging(connection, deps, documents);
  owner.add(documents.listen(connection));
  owner.defer(() => judge.stop());
  owner.add(documents.onDidChangeContent(({ document }) => judge.check(document)));
  owner.add(
    documents.onDidClose(({ document: { uri } }) => {
      judge.forget(uri);
      void connection.sendDiagnostics({ uri, diagnostics: [] });
    }),
  );
  owner.add(
    deps.bus.subscribe(({ method }) => {
      if (!staleAfter.has(method) || documents.keys().length === 0) return;
      for (const document of documents.all()) judge.check(document);
      if (abilities().refreshesLenses) void connection.sendRequest('workspace/codeLens/refresh').catch(() => undefined);
    }),
  );
  answer(connection, deps, documents, abilities);
  return owner;
}

/** Says what is wrong with a text once nobody has typed in it for a moment. */
function judging(connection: Connection, deps: LanguageDeps, documents: TextDocuments<TextDocument>) {
  const timers = new Map<string, NodeJS.Timeout>();
  const publish = async (uri: string) => {
    await deps.introduced;
    const document = documents.get(uri);
    if (document === undefined) return;
    const { version } = document;
    const problems = await (await deps.taskFiles()).problems(document);
    if (documents.get(uri)?.version !== version) return;
    const diagnostics = problems.map(problem => toDiagnostic(document, problem));
    await connection.sendDiagnostics({ uri, version, diagnostics });
  };
  const forget = (uri: string) => {
    clearTimeout(timers.get(uri));
    timers.delete(uri);
  };
  return {
    check({ uri }: TextDocument) {
      forget(uri);
      const timer = setTimeout(() => {
        timers.delete(uri);
        publish(uri).catch((error: unknown) => connection.console.error(String(error)));
      }, quietMs);
      timers.set(uri, timer.unref());
    },
    forget,
    stop: () => [...timers.keys()].forEach(forget),
  };
}

function answer(
  connection: Connection,
  { introduced, taskFiles }: LanguageDeps,
  documents: TextDocuments<TextDocument>,
  abilities: () => ClientAbilities,
): void {
  /** The answer about an open document, once the client is known; null about one that is not open. */
  const about = async <T>(uri: string, ask: (files: TaskFiles, document: TextDocument) => T | Promise<T>) => {
    await introduced;
    const document = documents.get(uri);
    return document === undefined ? null : ask(await taskFiles(), document);
  };
  connection.onCompletion(({ textDocument, position }) =>
    about(textDocument.uri, async (files, document) =>
      (await files.proposals(document, document.offsetAt(position))).map((proposal, index) =>
        toCompletion(document, proposal, index, abilities().snippets),
      ),
    ),
  );
  connection.onHover(({ textDocument, position }) =>
    about(textDocument.uri, (files, document) => hoverAt(files, document, document.offsetAt(position))),
  );
  connection.onCodeAction(({ textDocument, range, context }) =>
    about(textDocument.uri, (files, document) =>
      context.only === undefined || context.only.includes(CodeActionKind.QuickFix)
        ? fixesIn(files, document, range)
        : [],
    ),
  );
  connection.onCodeLens(({ textDocument }) =>
    about(textDocument.uri, async (files, document): Promise<CodeLens[]> => {
      const range = rangeOf(document, { start: 0, end: 0 });
      return (await files.lenses(document)).map(({ title, tooltip, command, arguments: args }) => ({
        range,
        command: { title, tooltip, command, arguments: [...args] },
      }));
    }),
  );
  connection.onDocumentLinks(({ textDocument }) =>
    about(
      textDocument.uri,
      async (files, document): Promise<DocumentLink[]> =>
        (await files.links(document)).map(({ span, target, tooltip }) => ({
          range: rangeOf(document, span),
          target: pathToFileURL(target).href,
          tooltip,
        })),
    ),
  );
}

function hoverAt(files: TaskFiles, document: TextDocument, offset: number): Hover | null {
  const hover = files.hover(document, offset);
  if (hover === null) return null;
  return { contents: { kind: 'markdown', value: hover.markdown }, range: rangeOf(document, hover.span) };
}

async function fixesIn(files: TaskFiles, document: TextDocument, range: Range): Promise<CodeAction[]> {
  const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
  const problems = await files.problems(document);
  return problems
    .filter(({ span }) => span.start <= end && start <= span.end)
    .flatMap(problem => toActions(document, problem));
}

const severities = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  hint: DiagnosticSeverity.Hint,
} as const;

function toDiagnostic(document: TextDocument, { span, severity, code, message }: Problem): Diagnostic {
  return {
    range: rangeOf(document, span),
    severity: severities[severity],
    source: 'Codex Coach',
    code,
    message,
    ...(code === 'deprecated' ? { tags: [DiagnosticTag.Deprecated] } : {}),
  };
}

function toActions(document: TextDocument, problem: Problem): CodeAction[] {
  return problem.fixes.map(({ title, edits, preferred }) => ({
    title,
    kind: CodeActionKind.QuickFix,
    diagnostics: [toDiagnostic(document, problem)],
    ...(preferred ? { isPreferred: true } : {}),
    edit: {
      changes: {
        [document.uri]: edits.map(({ span, text }): TextEdit => ({ range: rangeOf(document, span), newText: text })),
      },
    },
  }));
}

const completionKinds = {
  key: CompletionItemKind.Property,
  table: CompletionItemKind.Module,
  value: CompletionItemKind.Value,
} as const;

function toCompletion(
  document: TextDocument,
  { label, kind, span, text, caret, detail, description }: Proposal,
  index: number,
  snippets: boolean,
): CompletionItem {
  const asSnippet = snippets && caret !== undefined;
  const plain = (part: string) => part.replaceAll(/[$}\\]/g, '\\$&');
  return {
    label,
    kind: completionKinds[kind],
    // In the order of the schema, not of the alphabet.
    sortText: String(index).padStart(4, '0'),
    filterText: document.getText(rangeOf(document, span)).startsWith('"') ? JSON.stringify(label) : label,
    textEdit: {
      range: rangeOf(document, span),
      newText: asSnippet ? `${plain(text.slice(0, caret))}$0${plain(text.slice(caret))}` : text,
    },
    ...(asSnippet ? { insertTextFormat: InsertTextFormat.Snippet } : {}),
    ...(detail === undefined ? {} : { detail }),
    ...(description === undefined ? {} : { documentation: { kind: 'markdown' as const, value: description } }),
  };
}

function rangeOf(document: TextDocument, { start, end }: Problem['span']): Range {
  return { start: document.positionAt(start), end: document.positionAt(end) };
}

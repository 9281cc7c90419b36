import type { Duplex } from 'node:stream';
import type { MessageReader } from 'vscode-jsonrpc/node';
import { createConnection, ResponseError } from 'vscode-languageserver';
import { createProtocolConnection, StreamMessageWriter } from 'vscode-languageserver/node';
import type { ServedConnection } from '../../protocol/channels/lsp.ts';
import type { AsyncOwner } from '../base/disposable.ts';
import { type ClientAbilities, type LanguageDeps, languageCapabilities, serveTaskFiles } from './lspLanguage.ts';

export interface LanguageConnection extends ServedConnection {
  /** What answers about the files. */
  readonly serving: AsyncOwner;
}

/** An LSP session about the files of tasks. Not listening yet; the stream's owner disposes of what serves it. */
export function openLanguageConnection(reader: MessageReader, stream: Duplex, deps: LanguageDeps): LanguageConnection {
  const connection = createConnection(() => createProtocolConnection(reader, new StreamMessageWriter(stream)), {
    ...{ shutdownReceived: false, initialize: () => undefined, exit: () => void stream.end() },
  });
  let abilities: ClientAbilities = { snippets: false, refreshesLenses: false };
  connection.onInitialize(({ capabilities: { textDocument, workspace } }) => {
    abilities = {
      snippets: textDocument?.completion?.completionItem?.snippetSupport === true,
      refreshesLenses: workspace?.codeLens?.refreshSupport === true,
    };
    return { capabilities: languageCapabilities, serverInfo: { name: 'codex-coach' } };
  });
  return {
    connection,
    responseError: (code, message, data) => new ResponseError(code, message, data),
    serving: serveTaskFiles(connection, deps, () => abilities),
  };
}

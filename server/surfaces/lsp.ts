import type { Duplex } from 'node:stream';
import { createConnection, ResponseError } from 'vscode-languageserver';
import { createProtocolConnection, StreamMessageWriter } from 'vscode-languageserver/node';
import { methodOf, parseParams, serve } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { lspChannel } from '../../protocol/channels/lsp.ts';
import { CoachError } from '../../protocol/errors.ts';
import { type ServerInfo, server as serverApi } from '../../protocol/server.ts';
import type { EventBus } from '../base/bus.ts';
import { DisposableStack } from '../base/disposable.ts';
import { messageReader } from '../base/messageReader.ts';
import { sameSecret } from '../base/sameSecret.ts';
import type { TaskFiles } from '../language/taskFiles.ts';
import type { Domain } from './domain.ts';
import { type ClientAbilities, languageCapabilities, serveTaskFiles } from './lspLanguage.ts';

export interface LspDeps {
  readonly domains: readonly Domain[];
  readonly bus: EventBus;
  /** What a client must show in `hello` before anything else is answered. */
  readonly token: string;
  readonly greet: () => ServerInfo;
  /** The language of the tasks' files, loaded when one is opened. */
  readonly taskFiles: () => Promise<TaskFiles>;
}

/**
 * Serves one client over one stream: an LSP session in which our own requests need the token first.
 * Ends with the stream; the server itself lives on.
 */
export function serveStream(stream: Duplex, deps: LspDeps, onEnd: () => void): void {
  const owner = new DisposableStack();
  const connection = createConnection(
    () => createProtocolConnection(messageReader(stream), new StreamMessageWriter(stream)),
    { shutdownReceived: false, initialize: () => undefined, exit: () => void stream.end() },
  );
  let abilities: ClientAbilities = { snippets: false, refreshesLenses: false };
  connection.onInitialize(({ capabilities: { textDocument, workspace } }) => {
    abilities = {
      snippets: textDocument?.completion?.completionItem?.snippetSupport === true,
      refreshesLenses: workspace?.codeLens?.refreshSupport === true,
    };
    return { capabilities: languageCapabilities, serverInfo: { name: 'codex-coach' } };
  });
  let introduced = false;
  const introduction = Promise.withResolvers<void>();
  const channel = lspChannel(connection, (code, message, data) => new ResponseError(code, message, data));
  owner.add(
    channel.onRequest(methodOf('server', 'hello'), async params => {
      const spec = serverApi.members.hello;
      const hello = parseParams('server/hello', spec.params, params);
      if (!sameSecret(hello.token, deps.token)) throw denied();
      introduced = true;
      introduction.resolve();
      return deps.greet();
    }),
  );
  const guarded = guard(channel, () => introduced);
  for (const { api, handlers } of deps.domains) owner.add(serve(api, handlers, guarded));
  owner.add(
    deps.bus.subscribe(({ method, payload }) => {
      if (introduced) channel.notify(method, payload);
    }),
  );
  const { bus, taskFiles } = deps;
  owner.add(serveTaskFiles(connection, { bus, taskFiles, introduced: introduction.promise }, () => abilities));
  stream.on('error', () => stream.destroy());
  stream.once('close', () => {
    void owner.dispose();
    onEnd();
  });
  connection.listen();
}

/** The same channel, closed to every request but `hello` until the client is known. */
function guard(channel: Channel, open: () => boolean): Channel {
  return {
    ...channel,
    onRequest(method, handler) {
      if (method === methodOf('server', 'hello')) return { dispose: () => undefined };
      return channel.onRequest(method, (params, signal) => {
        if (!open()) throw denied();
        return handler(params, signal);
      });
    },
  };
}

function denied(): CoachError {
  return new CoachError('server.denied', 'The background server does not know this client.', {
    hint: 'Only programs of the same user that can read server.token may connect.',
  });
}

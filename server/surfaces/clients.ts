import type { Duplex } from 'node:stream';
import {
  createMessageConnection,
  Message,
  type MessageReader,
  ResponseError,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { methodOf, parseParams } from '../../protocol/api.ts';
import { answerRequests, type ServedConnection } from '../../protocol/channels/lsp.ts';
import { CoachError } from '../../protocol/errors.ts';
import { type ServerInfo, server as serverApi } from '../../protocol/server.ts';
import type { EventBus } from '../base/bus.ts';
import { type AsyncOwner, DisposableStack } from '../base/disposable.ts';
import { firstMessage } from '../base/messageReader.ts';
import { sameSecret } from '../base/sameSecret.ts';
import type { TaskFiles } from '../language/taskFiles.ts';
import { answer, type Domains } from './domain.ts';

export interface ClientDeps {
  readonly domains: Domains;
  readonly bus: EventBus;
  /** What a client must show in `hello` before anything else is answered. */
  readonly token: string;
  readonly greet: () => ServerInfo;
  /** The language of the tasks' files, loaded when one is opened. */
  readonly taskFiles: () => Promise<TaskFiles>;
}

/**
 * Serves one client over one stream: JSON-RPC in which our own requests need the token first. An editor begins with
 * `initialize`, and only then is the language server loaded. Ends with the stream; the server itself lives on.
 */
export function serveClient(stream: Duplex, deps: ClientDeps, onEnd: () => void): void {
  const owner = new DisposableStack();
  stream.on('error', () => stream.destroy());
  stream.once('close', () => {
    void owner.dispose();
    onEnd();
  });
  firstMessage(stream)
    .then(async ({ first, reader }) => {
      const isEditor = Message.isRequest(first) && first.method === 'initialize';
      const introduction = Promise.withResolvers<void>();
      const { serving, ...served } = isEditor
        ? await editorConnection(reader, stream, deps, introduction.promise)
        : { ...plainConnection(reader, stream), serving: null };
      if (serving !== null) owner.add(serving);
      owner.add(answerOwn(served, deps, introduction.resolve));
      served.connection.listen();
    })
    .catch(() => stream.destroy());
}

function plainConnection(reader: MessageReader, stream: Duplex): ServedConnection {
  const connection = createMessageConnection(reader, new StreamMessageWriter(stream));
  connection.onError(() => stream.destroy());
  return { connection, responseError: (code, message, data) => new ResponseError(code, message, data) };
}

async function editorConnection(reader: MessageReader, stream: Duplex, deps: ClientDeps, introduced: Promise<void>) {
  const { openLanguageConnection } = await import('./lsp.ts');
  return openLanguageConnection(reader, stream, { bus: deps.bus, taskFiles: deps.taskFiles, introduced });
}

/** Our own requests and events: `hello` for everybody, the others for whom it has made known. */
function answerOwn(served: ServedConnection, deps: ClientDeps, introduce: () => void): AsyncOwner {
  const owner = new DisposableStack();
  let introduced = false;
  const hello = (params: unknown) => {
    const { token } = parseParams('server/hello', serverApi.members.hello.params, params);
    if (!sameSecret(token, deps.token)) throw denied();
    introduced = true;
    introduce();
    return deps.greet();
  };
  owner.add(
    answerRequests(served, async (method, params, signal) => {
      if (method === methodOf('server', 'hello')) return hello(params);
      if (!introduced) throw denied();
      return answer(deps.domains, method, params, signal);
    }),
  );
  owner.add(
    deps.bus.subscribe(({ method, payload }) => {
      if (introduced) void served.connection.sendNotification(method, payload);
    }),
  );
  return owner;
}

function denied(): CoachError {
  return new CoachError('server.denied', 'The background server does not know this client.', {
    hint: 'Only programs of the same user that can read server.token may connect.',
  });
}

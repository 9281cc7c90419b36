import type { Socket } from 'node:net';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { methodOf, remote } from '../protocol/api.ts';
import type { Channel } from '../protocol/channel.ts';
import { lspChannel } from '../protocol/channels/lsp.ts';
import { CoachError } from '../protocol/errors.ts';
import { type ServerInfo, server as serverApi } from '../protocol/server.ts';
import { taskFileGlobs } from '../protocol/taskFiles.ts';
import { servedApis } from './api.ts';
import { readToken, type ServerPlace } from './connection.ts';

/** The stream ended while something was asked over it. */
export class ServerLost extends CoachError {
  constructor() {
    super('server.unreachable', vscode.l10n.t('The background server went away during this request.'), {
      hint: vscode.l10n.t('It is started again by itself. Try again in a moment.'),
    });
  }
}

export interface Connection {
  readonly stream: Socket;
  readonly client: LanguageClient;
  readonly channel: Channel;
  readonly info: ServerInfo;
}

interface ServerClientOptions {
  readonly place: ServerPlace;
  /** Of the extension. */
  readonly version: string;
  readonly log: vscode.LogOutputChannel;
  /** Told every event of the server. */
  readonly heard: (method: string, payload: unknown) => void;
  /** Told the end of the stream. */
  readonly closed: (client: LanguageClient) => void;
}

/**
 * Runs a language client over the stream and says hello.
 * @throws ServerLost when the stream ends meanwhile
 */
export async function introduce(stream: Socket, options: ServerClientOptions): Promise<Connection> {
  const { place, version, log, heard, closed } = options;
  // Loaded here and not with the extension: it is most of the bundle, and activation needs none of it.
  const { CloseAction, ErrorAction, LanguageClient, ResponseError } = await import('vscode-languageclient/node');
  /** Its faults are told where they are met, by what could not be done; the library would show its own words, too. */
  class QuietClient extends LanguageClient {
    override error(message: string, data?: unknown): void {
      super.error(message, data, false);
    }
  }
  const client = new QuietClient(
    'codexCoach',
    'Codex Coach',
    () => Promise.resolve({ reader: stream, writer: stream, detached: true }),
    {
      outputChannel: log,
      documentSelector: taskFileGlobs.map(pattern => ({ scheme: 'file', pattern })),
      initializationFailedHandler: () => false,
      // Whether and when to connect again is decided by the end of the stream.
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
    },
  );
  for (const { name, members } of servedApis) {
    for (const [member, { kind }] of Object.entries(members)) {
      if (kind !== 'event') continue;
      const method = methodOf(name, member);
      client.onNotification(method, payload => heard(method, payload));
    }
  }
  stream.once('close', () => closed(client));
  try {
    await client.start();
    const channel = lspChannel(client, (code, message, data) => new ResponseError(code, message, data));
    const hello = { token: readToken(place), version, client: 'editor' } as const;
    return { stream, client, channel, info: await remote(serverApi, channel).hello(hello) };
  } catch (error) {
    const lost = stream.destroyed;
    stream.destroy();
    throw lost ? new ServerLost() : error;
  }
}

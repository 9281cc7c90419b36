import { CoachError } from '../../../protocol/errors.ts';
import { storageFault } from '../../base/sqlite.ts';
import type { CapturedExchange, CaptureListener } from '../connections/capturedExchange.ts';
import { ConnectionReader } from '../connections/connectionReader.ts';
import { ResumedReader } from '../connections/resumedReader.ts';
import type { Upgrade } from '../connections/webSocketConversation.ts';
import { countedPath } from '../dialects/sideTraffic.ts';
import { Redactor } from '../redaction/redaction.ts';
import { ShownCredentials } from '../redaction/shownCredentials.ts';
import { Upkeep } from '../upkeep/upkeep.ts';
import { Announcements } from './announcements.ts';
import type {
  ConnectionOrigin,
  ConnectionStart,
  RecorderAnswer,
  RecorderEvent,
  RecorderMessage,
} from './recorderMessages.ts';
import { TraceStorage } from './traceStorage.ts';

/** Least time between two reports of one reply's progress. */
const progressMs = 200;

interface Connection {
  readonly origin: ConnectionOrigin;
  readonly listener: CaptureListener;
  /** Null once it could not be read: the rest of its bytes is let go. */
  reader: ConnectionReader | ResumedReader | null;
  sizeBytes: number;
  countedBytes: number;
  /** When the progress of the reply under way was last reported; 0 for never. */
  reportedAtMs: number;
}

/** The recording side: parses, redacts, hashes, compresses and stores. Lives in a worker, or in-process in tests. */
export class RecorderCore {
  readonly #redactor = new Redactor();
  readonly #credentials = new ShownCredentials(this.#redactor);
  readonly #storage: TraceStorage;
  readonly #upkeep: Upkeep;
  readonly #answer: (answer: RecorderAnswer) => void;
  readonly #connections = new Map<number, Connection>();
  readonly #announcements = new Announcements(sessionId => this.#announce(sessionId));
  /** Sessions to report at the end of what came together. */
  #changed: Set<string> | null = null;
  #hasStopped = false;

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string, idleMs: number, answer: (answer: RecorderAnswer) => void) {
    this.#answer = answer;
    this.#storage = new TraceStorage({
      file,
      redactor: this.#redactor,
      idleMs,
      faulted: news => this.#emit({ kind: 'storage', ...news }),
      lost: (count, reason) => this.#lose('*', reason, count),
    });
    this.#upkeep = new Upkeep(this.#storage, file);
  }

  /** Chunks that came together: what they complete is stored in one commit, and each session reported once. */
  acceptAll(chunks: Iterable<RecorderMessage & { kind: 'bytes' }>): void {
    this.#changed = new Set();
    this.#storage.group(() => {
      for (const chunk of chunks) this.#bytes(chunk);
    });
    const changed = this.#changed;
    this.#changed = null;
    for (const sessionId of changed) this.#announcements.changed(sessionId);
  }

  /** It must not be given anything any more. */
  get hasStopped(): boolean {
    return this.#hasStopped;
  }

  accept(message: RecorderMessage): void {
    switch (message.kind) {
      case 'open':
        this.#open(message.connection, message.origin, message.resumed);
        break;
      case 'bytes':
        this.#bytes(message);
        break;
      case 'close':
        this.#close(message.connection, message.atMs);
        break;
      case 'gap':
        this.#resume(message.connection, message.reason);
        break;
      case 'lost':
        this.#noteLoss(message.host, message.reason, 1);
        break;
      case 'deny':
        this.#deny(message);
        break;
      case 'hide':
        this.#redactor.hide(message.secret, message.fresh);
        break;
      case 'forget':
        this.#redactor.forget(message.secret);
        break;
      case 'upkeep':
        this.#upkeep.ask(message.task, (report, fault) =>
          this.#answer({ kind: 'upkept', id: message.id, report, fault }),
        );
        break;
      case 'flush':
        this.#storage.retry();
        this.#announcements.flush();
        this.#answer({ kind: 'flushed', id: message.id });
        break;
      case 'rest':
        if (this.#isIdle()) this.#stop();
        else this.#answer({ kind: 'awake' });
        break;
      case 'stop':
        this.#stop();
    }
  }

  /** Nothing is being recorded, waits to be stored or is still to be made searchable. */
  #isIdle(): boolean {
    return this.#connections.size === 0 && this.#storage.isSound && this.#upkeep.isIdle;
  }

  #stop(): void {
    for (const id of [...this.#connections.keys()]) this.#close(id, Date.now());
    this.#announcements.flush();
    this.#upkeep.stop();
    this.#storage.close();
    this.#hasStopped = true;
  }

  #open(id: number, origin: ConnectionOrigin, resumed?: ConnectionStart): void {
    const listener = this.#listenerOf(id, origin);
    const reader = resumed === undefined ? new ConnectionReader(listener) : null;
    this.#connections.set(id, { origin, listener, reader, sizeBytes: 0, countedBytes: 0, reportedAtMs: 0 });
    if (resumed !== undefined) this.#readOn(id, upgradeIn(resumed));
  }

  /** Bytes are missing: what was under way is lost, and what begins after them is read again. */
  #resume(id: number, reason: string): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.reader === null) return;
    const { upgrade } = connection.reader;
    this.#fail(id, reason);
    this.#readOn(id, upgrade);
  }

  #readOn(id: number, upgrade: Upgrade | null): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    const { listener, origin } = connection;
    try {
      connection.reader = new ResumedReader(listener, origin.host, upgrade);
    } catch (error) {
      this.#lose(origin.host, CoachError.from(error).message, 1);
    }
  }

  #listenerOf(id: number, origin: ConnectionOrigin): CaptureListener {
    return {
      exchange: captured => {
        this.#endProgress(id);
        this.#hideCredentials(captured);
        this.#storage.write(this.#sizeSinceLast(id), ({ exchanges }) => {
          const event = exchanges.record(captured, origin);
          return () => {
            this.#emit(event);
            this.#upkeep.touch();
            if (this.#changed === null) this.#announcements.changed(event.sessionId);
            else this.#changed.add(event.sessionId);
          };
        });
      },
      side: request => {
        const path = this.#redactor.target(countedPath(request.path));
        this.#storage.write(path.length, ({ writer }) => {
          writer.side(origin.host, { ...request, path });
          return undefined;
        });
      },
      streaming: characters => this.#progress(id, characters),
    };
  }

  /** Before anything of its exchange is written. */
  #hideCredentials({ requestHead, endedAtMs }: CapturedExchange): void {
    for (const value of this.#credentials.hide(requestHead, endedAtMs)) this.#answer({ kind: 'credential', value });
  }

  /** Bytes that a connection has brought since this was last asked: about the size of an exchange. */
  #sizeSinceLast(id: number): number {
    const connection = this.#connections.get(id);
    if (connection === undefined) return 0;
    const size = connection.sizeBytes - connection.countedBytes;
    connection.countedBytes = connection.sizeBytes;
    return size;
  }

  /** The exchange is stored: what fails from here on must not store it again. */
  #announce(sessionId: string): void {
    const session = this.#storage.whenSound(({ store }) => store.session(sessionId));
    if (session) this.#emit({ kind: 'session', session });
  }

  #bytes({ connection: id, direction, bytes, atMs }: RecorderMessage & { kind: 'bytes' }): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.sizeBytes += bytes.length;
    try {
      connection.reader?.push(direction, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), atMs);
    } catch (error) {
      this.#fail(id, CoachError.from(error).message);
    }
  }

  #close(id: number, atMs: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    try {
      connection.reader?.close(atMs);
    } catch (error) {
      this.#fail(id, CoachError.from(error).message);
    }
    const { reader } = connection;
    if (reader instanceof ConnectionReader && connection.sizeBytes > 0 && reader.messages === 0) {
      this.#fail(id, 'no message could be read');
    }
    this.#endProgress(id);
    this.#connections.delete(id);
  }

  #deny({ launch, host, port, reason, atMs }: RecorderMessage & { kind: 'deny' }): void {
    const row = { atMs, launchId: launch.id, trialId: launch.trialId, host, port, reason };
    this.#storage.write(0, ({ writer }) => {
      writer.deny(row);
      return undefined;
    });
  }

  #fail(id: number, reason: string): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.reader === null) return;
    connection.reader = null;
    this.#endProgress(id);
    this.#lose(connection.origin.host, reason, 1);
  }

  #lose(host: string, reason: string, count: number): void {
    this.#emit({ kind: 'uncaptured', host, reason, ...(count === 1 ? {} : { count }) });
    this.#noteLoss(host, reason, count);
  }

  /** Counted in the database too: it is known there when this server is gone. */
  #noteLoss(host: string, reason: string, count: number): void {
    const row = { atMs: Date.now(), host, reason: this.#redactor.text(withoutQuote(reason)), count };
    this.#storage.write(0, ({ writer }) => {
      try {
        writer.lose(row);
      } catch (error) {
        // A count that can't be kept for another reason must not be counted again.
        if (storageFault(error) !== null) throw error;
      }
      return undefined;
    });
  }

  #progress(id: number, characters: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || characters === 0) return;
    const nowMs = Date.now();
    if (nowMs - connection.reportedAtMs < progressMs) return;
    connection.reportedAtMs = nowMs;
    this.#report(id, characters);
  }

  /** Most replies are over before there was anything to report. */
  #endProgress(id: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.reportedAtMs === 0) return;
    connection.reportedAtMs = 0;
    this.#report(id, 0);
  }

  #report(connection: number, characters: number): void {
    const launchId = this.#connections.get(connection)?.origin.launch?.id ?? null;
    this.#emit({ kind: 'streaming', launchId, connection, characters });
  }

  #emit(event: RecorderEvent): void {
    this.#answer({ kind: 'event', event });
  }
}

/** How a connection began, when that made it a WebSocket. */
function upgradeIn({ up, down }: ConnectionStart): Upgrade | null {
  if (up === null || down === null) return null;
  const ignore = () => undefined;
  const reader = new ConnectionReader({ exchange: ignore, side: ignore, streaming: ignore });
  try {
    reader.push('up', Buffer.from(up), 0);
    reader.push('down', Buffer.from(down), 0);
  } catch {
    // As far as it could be read.
  }
  return reader.upgrade;
}

/** Without what it quotes of the traffic: reasons are few, and hold nothing that was said. */
function withoutQuote(reason: string): string {
  return reason.replace(/:? ".*/s, '').slice(0, 200);
}

import { CoachError } from '../../protocol/errors.ts';
import { ConnectionReader } from './connectionReader.ts';
import type { ConnectionOrigin, RecorderAnswer, RecorderEvent, RecorderMessage } from './recorderMessages.ts';
import { Redactor } from './redaction.ts';
import { countedPath } from './sideTraffic.ts';
import { TraceStorage } from './traceStorage.ts';
import { Upkeep } from './upkeep.ts';

/** Least time between two reports of one reply's progress. */
const progressMs = 200;

interface Connection {
  readonly origin: ConnectionOrigin;
  /** Null once it could not be read: the rest of its bytes is let go. */
  reader: ConnectionReader | null;
  sizeBytes: number;
  countedBytes: number;
  reportedAtMs: number;
}

/** The recording side: parses, redacts, hashes, compresses and stores. Lives in a worker, or in-process in tests. */
export class RecorderCore {
  readonly #redactor = new Redactor();
  readonly #storage: TraceStorage;
  readonly #upkeep: Upkeep;
  readonly #answer: (answer: RecorderAnswer) => void;
  readonly #connections = new Map<number, Connection>();
  /** Sessions to report at the end of what came together. */
  #changed: Set<string> | null = null;

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string, idleMs: number, answer: (answer: RecorderAnswer) => void) {
    this.#answer = answer;
    this.#storage = new TraceStorage({
      file,
      redactor: this.#redactor,
      idleMs,
      warn: reason => this.#emit({ kind: 'uncaptured', host: '*', reason }),
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
    for (const sessionId of changed) this.#announce(sessionId);
  }

  accept(message: RecorderMessage): void {
    switch (message.kind) {
      case 'open':
        this.#open(message.connection, message.origin);
        break;
      case 'bytes':
        this.#bytes(message);
        break;
      case 'close':
        this.#close(message.connection, message.atMs);
        break;
      case 'drop':
        this.#fail(message.connection, message.reason);
        break;
      case 'deny':
        this.#deny(message);
        break;
      case 'hide':
        this.#redactor.hide(message.secret);
        break;
      case 'upkeep':
        this.#upkeep.ask(message.task, (report, fault) =>
          this.#answer({ kind: 'upkept', id: message.id, report, fault }),
        );
        break;
      case 'flush':
        this.#storage.retry();
        this.#answer({ kind: 'flushed', id: message.id });
        break;
      case 'stop':
        for (const id of [...this.#connections.keys()]) this.#close(id, Date.now());
        this.#upkeep.stop();
        this.#storage.close();
    }
  }

  #open(id: number, origin: ConnectionOrigin): void {
    const reader = new ConnectionReader({
      exchange: captured => {
        this.#report(id, 0);
        this.#storage.write(this.#sizeSinceLast(id), ({ exchanges }) => {
          const event = exchanges.record(captured, origin);
          return () => {
            this.#emit(event);
            this.#upkeep.touch();
            if (this.#changed === null) this.#announce(event.sessionId);
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
    });
    this.#connections.set(id, { origin, reader, sizeBytes: 0, countedBytes: 0, reportedAtMs: 0 });
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
    if (connection.reader !== null && connection.sizeBytes > 0 && connection.reader.messages === 0) {
      this.#fail(id, 'no message could be read');
    }
    this.#report(id, 0);
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
    this.#report(id, 0);
    this.#emit({ kind: 'uncaptured', host: connection.origin.host, reason });
  }

  #progress(id: number, characters: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || characters === 0) return;
    const nowMs = Date.now();
    if (nowMs - connection.reportedAtMs < progressMs) return;
    connection.reportedAtMs = nowMs;
    this.#report(id, characters);
  }

  #report(connection: number, characters: number): void {
    const launchId = this.#connections.get(connection)?.origin.launch?.id ?? null;
    this.#emit({ kind: 'streaming', launchId, connection, characters });
  }

  #emit(event: RecorderEvent): void {
    this.#answer({ kind: 'event', event });
  }
}

import { CoachError } from '../../protocol/errors.ts';
import { ConnectionReader } from './connectionReader.ts';
import { ExchangeRecorder } from './exchangeRecorder.ts';
import type { ConnectionOrigin, RecorderAnswer, RecorderEvent, RecorderMessage } from './recorderMessages.ts';
import { Redactor } from './redaction.ts';
import { TraceStore } from './store.ts';
import { TraceWriter } from './traceWriter.ts';

/** Least time between two reports of one reply's progress. */
const progressMs = 200;

interface Connection {
  readonly origin: ConnectionOrigin;
  /** Null once it could not be read: the rest of its bytes is let go. */
  reader: ConnectionReader | null;
  sizeBytes: number;
  reportedAtMs: number;
}

/** The recording side: parses, redacts, hashes, compresses and stores. Lives in a worker, or in-process in tests. */
export class RecorderCore {
  readonly #writer: TraceWriter;
  readonly #store: TraceStore;
  readonly #redactor = new Redactor();
  readonly #exchanges: ExchangeRecorder;
  readonly #answer: (answer: RecorderAnswer) => void;
  readonly #connections = new Map<number, Connection>();

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string, idleMs: number, answer: (answer: RecorderAnswer) => void) {
    this.#writer = new TraceWriter(file);
    this.#store = new TraceStore(file);
    this.#exchanges = new ExchangeRecorder(this.#writer, this.#redactor, idleMs);
    this.#answer = answer;
  }

  accept(message: RecorderMessage): void {
    switch (message.kind) {
      case 'open':
        this.#open(message.connection, message.origin);
        break;
      case 'bytes':
        this.#bytes(message);
        this.#answer({ kind: 'done', sizeBytes: message.bytes.length });
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
      case 'flush':
        this.#answer({ kind: 'flushed', id: message.id });
        break;
      case 'stop':
        for (const id of [...this.#connections.keys()]) this.#close(id, Date.now());
        this.#store.dispose();
        this.#writer.close();
    }
  }

  #open(id: number, origin: ConnectionOrigin): void {
    const reader = new ConnectionReader({
      exchange: captured => {
        const event = this.#exchanges.record(captured, origin);
        this.#report(id, 0);
        this.#emit(event);
        const session = this.#store.session(event.sessionId);
        if (session !== null) this.#emit({ kind: 'session', session });
      },
      side: request => this.#writer.side(origin.host, { ...request, path: this.#redactor.target(request.path) }),
      streaming: characters => this.#progress(id, characters),
    });
    this.#connections.set(id, { origin, reader, sizeBytes: 0, reportedAtMs: 0 });
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
    try {
      this.#writer.deny({ atMs, launchId: launch.id, trialId: launch.trialId, host, port, reason });
    } catch (error) {
      this.#emit({ kind: 'uncaptured', host, reason: CoachError.from(error).message });
    }
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

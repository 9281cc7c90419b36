import { createWriteStream, type WriteStream } from 'node:fs';

const retryMs = 1000;
/** Text kept while the disk takes none; the rest of it is lost. */
const maxWaitingCharacters = 256 * 1024;

/** A file that text is appended to. What a full or read-only disk does not take waits for it, up to a limit. */
export class LogFile {
  readonly #file: string;
  #stream: WriteStream | null = null;
  #waiting = '';
  #retry: NodeJS.Timeout | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#open();
  }

  write(text: string): void {
    if (this.#stream === null) this.#keep(text);
    else this.#stream.write(text, error => void (error && this.#keep(text)));
  }

  close(): Promise<void> {
    clearTimeout(this.#retry);
    return new Promise(resolve => {
      if (this.#stream === null) resolve();
      else this.#stream.end(() => resolve());
    });
  }

  #open(): void {
    const stream = createWriteStream(this.#file, { flags: 'a', mode: 0o600 });
    stream.on('error', () => {
      this.#stream = null;
      this.#retry = setTimeout(() => this.#open(), retryMs).unref();
    });
    this.#stream = stream;
    const text = this.#waiting;
    this.#waiting = '';
    if (text !== '') this.write(text);
  }

  #keep(text: string): void {
    if (this.#waiting.length + text.length <= maxWaitingCharacters) this.#waiting += text;
  }
}

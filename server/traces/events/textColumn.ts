import { ByteWriter } from './byteWriter.ts';

/** Pieces that may hold on to the chunk they were cut from, until they are copied. */
const maxPieces = 256;

/** Many short texts, as their lengths and all of them in one. Characters are bytes. */
export class TextColumn {
  readonly #lengths = new ByteWriter();
  readonly #bytes = new ByteWriter();
  #pieces: string[] = [];

  push(text: string): void {
    this.#lengths.varint(text.length);
    if (this.#pieces.push(text) === maxPieces) this.#copy();
  }

  /** Valid until the next push. */
  lengths(): Buffer {
    return this.#lengths.view();
  }

  /** Valid until the next push. */
  bytes(): Buffer {
    this.#copy();
    return this.#bytes.view();
  }

  #copy(): void {
    this.#bytes.latin1(this.#pieces.join(''));
    this.#pieces = [];
  }
}

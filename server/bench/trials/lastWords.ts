/** What is kept of an output's end, in characters. */
const keptLength = 4000;
/** Longest part that is quoted, in characters. */
const quotedLength = 200;

/** How a program asks for a person: a permission, trust in a directory, a login, a secret, a key press. */
const questions: readonly RegExp[] = [
  /[([](?:y(?:es)?\s*[/|]\s*n(?:o)?)(?:\s*[/|][^)\]]*)?[)\]]\s*[:?>]?\s*$/i,
  /\b(?:do you (?:trust|want|wish)|would you like|are you sure|allow (?:this|the|once|execution)|trust (?:this|the) (?:folder|directory|workspace)|approve)\b[^\n]*\?\s*$/i,
  /\b(?:password|passphrase|passcode|username|verification code|authori[sz]ation code|api[- ]?key)\b[^\n]{0,60}:\s*$/i,
  /\bpress (?:enter|return|any key)\b/i,
  /\b(?:please )?(?:log|sign) ?in\b[^\n]*\b(?:browser|visit|open|at https?:|to continue)/i,
  /\b(?:waiting for|requires?) (?:your )?(?:approval|authori[sz]ation|authentication|permission|confirmation|login)\b/i,
];

/** The end of what a program printed, on both of its outputs. */
export class LastWords {
  readonly #decoder = new TextDecoder();
  #text = '';

  push(chunk: Buffer): void {
    const { length } = chunk;
    const text = this.#decoder.decode(length > keptLength ? chunk.subarray(length - keptLength) : chunk, {
      stream: true,
    });
    this.#text = (this.#text + text).slice(-keptLength);
  }

  /** Its last line with something on it, without colours and cursor moves; '' when there is none. */
  last(): string {
    return this.#lines().at(-1)?.slice(0, quotedLength) ?? '';
  }

  /** The question to a person that it ends with, or null. What a model or a tool says comes as JSON and is none. */
  question(): string | null {
    const line = this.#lines().at(-1) ?? '';
    if (line.startsWith('{') || !questions.some(pattern => pattern.test(line))) return null;
    return line.slice(0, quotedLength);
  }

  #lines(): string[] {
    return this.#text
      .replaceAll(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b[()][A-Z0-9]/g, '')
      .split(/[\r\n]+/)
      .map(line => line.trim())
      .filter(line => line !== '');
  }
}

import { KnownValues } from '../../base/redact/knownValues.ts';
import { isSecretMember } from '../../base/redact/namedSecrets.ts';
import { redact, redacted } from '../../base/redact/redact.ts';
import { type JsonObject, stringAt } from '../json.ts';
import { cleanInPieces, isCleanTogether } from './splitTexts.ts';

/** Fields whose text is a secret whatever it looks like. */
const secretField =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?(?:goog-)?api[-_]?key|(?:access|refresh|id|auth|bearer|session|security)[-_]?token|client[-_]?secret|private[-_]?key|passw(?:or)?d|passphrase|secret)$/i;

/** Query parameters of the same kind; `key` and `code` are names of other things elsewhere. */
const secretParameter = /^(?:key|code|token|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))$/i;

/** Beside a model's text the tokens it is made of, one by one: `logprobs`, and Gemini's `logprobsResult`. */
const tokensField = /^logprobs/;

/** Whether a member says another one's text again in tokens, in which no secret can be found. */
function areTokens(name: string, member: unknown): boolean {
  return tokensField.test(name) && typeof member === 'object' && member !== null && Object.keys(member).length > 0;
}

/** The shortest of these names has six letters. */
function isSecretField(name: string): boolean {
  return name.length >= 6 && secretField.test(name);
}

/** Nothing a model API sends is deeper; what is stands as this text. */
const maxDepth = 512;
const tooDeep = '[nested too deep]';

/** Texts that are sent again and again, such as instructions and tools, are searched once. */
const minRememberedLength = 256;
const maxRememberedLength = 4 * 1024 * 1024;

/** Names of members, types, ids of models: what is short and clean comes again with the next message. */
const maxShortLength = 64;
const maxShortTexts = 4000;

/** `{"name": "DB_PASSWORD", "value": …}`: what `value` is the value of. Of any other member its own name. */
function nameInPair(name: string, pair: object): string {
  if (name !== 'value' && name !== 'Value') return name;
  return ['name', 'key', 'Name', 'Key'].map(each => stringAt(pair, each)).find(told => told !== null) ?? name;
}

/** Takes secrets out of what is about to be written. */
export class Redactor {
  readonly #known = new KnownValues();
  /** What long texts came to: clean ones to themselves. */
  #results = new Map<string, string>();
  #resultsLength = 0;
  #shortClean = new Set<string>();

  /** `fresh`: made just now, so that no text before can hold it, and what was clean stays clean. */
  hide(secret: string, fresh = false): void {
    if (this.#known.add(secret) && !fresh) this.#forgetResults();
  }

  knows(secret: string): boolean {
    return this.#known.has(secret);
  }

  /** The value is of no use to anybody any more. */
  forget(secret: string): void {
    this.#known.delete(secret);
    for (const [text, result] of this.#results) {
      if (result !== text) this.#results.delete(text);
    }
  }

  /** The same string when there is nothing to hide in it. */
  text(text: string): string {
    if (text.length <= maxShortLength && this.#shortClean.has(text)) return text;
    const known = this.#results.get(text);
    if (known !== undefined) return known;
    const result = redact(text, this.#known);
    if (text.length >= minRememberedLength) this.#remember(text, result);
    else if (text.length <= maxShortLength && result === text) this.#rememberShort(text);
    return result;
  }

  /**
   * The same JSON with every string redacted: as a text it could be cut in the middle of an escape. The same value
   * comes back when there is nothing to hide in it.
   */
  json(value: unknown): unknown {
    return this.#json(value, 0);
  }

  /** The same object with nothing but its tokens redacted, where a text beside them has to be: for who packs it by member. */
  withoutTokens(value: JsonObject): JsonObject {
    const members = Object.entries(value);
    if (!members.some(([name, member]) => areTokens(name, member))) return value;
    const clean = this.json(value) as JsonObject;
    return Object.fromEntries(members.map(([name, member]) => [name, areTokens(name, member) ? clean[name] : member]));
  }

  /** A request's path with its query, of which secret parameters are blanked. */
  target(target: string): string {
    const [path = '', query] = target.split(/\?(.*)/s);
    if (query === undefined) return this.text(path);
    const parameters = query.split('&').map(parameter => {
      const name = parameter.split('=')[0] ?? '';
      return isSecretField(name) || secretParameter.test(name) ? `${name}=${redacted}` : parameter;
    });
    return this.text(`${path}?${parameters.join('&')}`);
  }

  readonly #isClean = (text: string) => this.text(text) === text;

  #json(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth === maxDepth) return tooDeep;
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth);
  }

  #list(given: readonly unknown[], depth: number): unknown {
    if (!isCleanTogether(given, this.#isClean)) return redacted;
    const list = cleanInPieces(given, this.#isClean);
    let clean: unknown[] | null = null;
    for (let index = 0; index < list.length; index++) {
      const member = this.#json(list[index], depth + 1);
      if (member !== list[index]) clean ??= list.slice(0, index);
      clean?.push(member);
    }
    return clean ?? list;
  }

  #object(value: object, depth: number): object {
    const members = Object.entries(value);
    let changed = false;
    for (const entry of members) {
      const [name, member] = entry;
      entry[0] = this.text(name);
      entry[1] = this.#member(nameInPair(name, value), member, depth);
      changed ||= entry[1] !== member || entry[0] !== name;
    }
    if (!changed) return value;
    return Object.fromEntries(members.map(([name, member]) => [name, areTokens(name, member) ? redacted : member]));
  }

  #member(name: string, member: unknown, depth: number): unknown {
    if (typeof member !== 'string') return this.#json(member, depth + 1);
    return member !== '' && (isSecretField(name) || isSecretMember(name, member)) ? redacted : this.text(member);
  }

  #remember(text: string, result: string): void {
    if (text.length > maxRememberedLength / 4) return;
    if (this.#resultsLength + text.length > maxRememberedLength) this.#forgetResults();
    this.#results.set(text, result);
    this.#resultsLength += text.length;
  }

  #rememberShort(text: string): void {
    if (this.#shortClean.size === maxShortTexts) this.#shortClean.clear();
    this.#shortClean.add(text);
  }

  #forgetResults(): void {
    this.#shortClean.clear();
    this.#results = new Map();
    this.#resultsLength = 0;
  }
}

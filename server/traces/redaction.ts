import { KnownValues } from '../base/knownValues.ts';
import { isSecretMember } from '../base/namedSecrets.ts';
import { redact, redacted } from '../base/redact.ts';

/** Fields whose text is a secret whatever it looks like. */
const secretField =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?(?:goog-)?api[-_]?key|(?:access|refresh|id|auth|bearer|session|security)[-_]?token|client[-_]?secret|private[-_]?key|passw(?:or)?d|passphrase|secret)$/i;

/** Query parameters of the same kind; `key` and `code` are names of other things elsewhere. */
const secretParameter = /^(?:key|code|token|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))$/i;

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

/** Takes secrets out of what is about to be written. */
export class Redactor {
  readonly #known = new KnownValues();
  #clean = new Set<string>();
  #cleanLength = 0;
  #shortClean = new Set<string>();

  /** `fresh`: made just now, so that no text before can hold it, and what was clean stays clean. */
  hide(secret: string, fresh = false): void {
    if (this.#known.add(secret) && !fresh) this.#forgetClean();
  }

  /** The value is of no use to anybody any more. */
  forget(secret: string): void {
    this.#known.delete(secret);
  }

  /** The same string when there is nothing to hide in it. */
  text(text: string): string {
    const isShort = text.length <= maxShortLength;
    if ((isShort ? this.#shortClean : this.#clean).has(text)) return text;
    const result = redact(text, this.#known);
    if (result !== text) return result;
    if (isShort) this.#rememberShort(text);
    else if (text.length >= minRememberedLength) this.#remember(text);
    return text;
  }

  /**
   * The same JSON with every string redacted: as a text it could be cut in the middle of an escape. The same value
   * comes back when there is nothing to hide in it.
   */
  json(value: unknown): unknown {
    return this.#json(value, 0);
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

  #json(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth === maxDepth) return tooDeep;
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth);
  }

  #list(list: readonly unknown[], depth: number): readonly unknown[] {
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
      entry[1] = this.#member(name, member, depth);
      changed ||= entry[1] !== member || entry[0] !== name;
    }
    return changed ? Object.fromEntries(members) : value;
  }

  #member(name: string, member: unknown, depth: number): unknown {
    if (typeof member !== 'string') return this.#json(member, depth + 1);
    return member !== '' && (isSecretField(name) || isSecretMember(name, member)) ? redacted : this.text(member);
  }

  #remember(text: string): void {
    if (text.length > maxRememberedLength / 4) return;
    if (this.#cleanLength + text.length > maxRememberedLength) this.#forgetClean();
    this.#clean.add(text);
    this.#cleanLength += text.length;
  }

  #rememberShort(text: string): void {
    if (this.#shortClean.size === maxShortTexts) this.#shortClean.clear();
    this.#shortClean.add(text);
  }

  #forgetClean(): void {
    this.#shortClean.clear();
    this.#clean = new Set();
    this.#cleanLength = 0;
  }
}

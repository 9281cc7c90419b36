import { isSecretMember } from '../base/namedSecrets.ts';
import { redact, redacted } from '../base/redact.ts';

/** Fields whose text is a secret whatever it looks like. */
const secretField =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?(?:goog-)?api[-_]?key|(?:access|refresh|id|auth|bearer|session|security)[-_]?token|client[-_]?secret|private[-_]?key|passw(?:or)?d|passphrase|secret)$/i;

/** Query parameters of the same kind; `key` and `code` are names of other things elsewhere. */
const secretParameter = /^(?:key|code|token|sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))$/i;

/** Nothing a model API sends is deeper; what is stands as this text. */
const maxDepth = 512;
const tooDeep = '[nested too deep]';

/** Texts that are sent again and again, such as instructions and tools, are searched once. */
const minRememberedLength = 256;
const maxRememberedLength = 4 * 1024 * 1024;

/** Takes secrets out of what is about to be written. */
export class Redactor {
  /** Values that are secret wherever they stand, in the ways they may be written, longest first. */
  #known: readonly string[] = [];
  #clean = new Set<string>();
  #cleanLength = 0;

  hide(secret: string): void {
    const escaped = JSON.stringify(secret).slice(1, -1);
    const forms = new Set([...this.#known, secret, escaped, JSON.stringify(escaped).slice(1, -1)]);
    this.#known = [...forms].sort((a, b) => b.length - a.length);
    this.#forget();
  }

  /** The same string when there is nothing to hide in it. */
  text(text: string): string {
    if (this.#clean.has(text)) return text;
    const result = redact(text, this.#known);
    if (result === text && text.length >= minRememberedLength) this.#remember(text);
    return result;
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
      return secretField.test(name) || secretParameter.test(name) ? `${name}=${redacted}` : parameter;
    });
    return this.text(`${path}?${parameters.join('&')}`);
  }

  #json(value: unknown, depth: number): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth === maxDepth) return tooDeep;
    if (Array.isArray(value)) {
      const members = value.map(member => this.#json(member, depth + 1));
      return members.every((member, index) => member === value[index]) ? value : members;
    }
    let changed = false;
    const members = Object.entries(value).map(([name, member]) => {
      const clean = this.#member(name, member, depth);
      const cleanName = this.text(name);
      changed ||= clean !== member || cleanName !== name;
      return [cleanName, clean];
    });
    return changed ? Object.fromEntries(members) : value;
  }

  #member(name: string, member: unknown, depth: number): unknown {
    if (typeof member !== 'string') return this.#json(member, depth + 1);
    return member !== '' && (secretField.test(name) || isSecretMember(name, member)) ? redacted : this.text(member);
  }

  #remember(text: string): void {
    if (text.length > maxRememberedLength / 4) return;
    if (this.#cleanLength + text.length > maxRememberedLength) this.#forget();
    this.#clean.add(text);
    this.#cleanLength += text.length;
  }

  #forget(): void {
    this.#clean = new Set();
    this.#cleanLength = 0;
  }
}

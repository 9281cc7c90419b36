import { redact, redacted } from '../base/redact.ts';

/** Fields and query parameters whose text is a secret whatever it looks like. */
const secretField =
  /^(authorization|cookie|api[-_]?key|key|access[-_]?token|refresh[-_]?token|id[-_]?token|client[-_]?secret|password|secret)$/i;

/** Takes secrets out of what is about to be written. `known`: values that are secret wherever they stand. */
export class Redactor {
  readonly #known = new Set<string>();

  hide(secret: string): void {
    this.#known.add(secret);
  }

  text(text: string): string {
    return redact(text, this.#known);
  }

  /** The same JSON with every string redacted: as a text it could be cut in the middle of an escape. */
  json(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map(member => this.json(member));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        typeof member === 'string' && member !== '' && secretField.test(key) ? redacted : this.json(member),
      ]),
    );
  }

  /** A request's path with its query, of which secret parameters are blanked. */
  target(target: string): string {
    const [path = '', query] = target.split(/\?(.*)/s);
    if (query === undefined) return this.text(path);
    const parameters = query.split('&').map(parameter => {
      const name = parameter.split('=')[0] ?? '';
      return secretField.test(name) ? `${name}=${redacted}` : parameter;
    });
    return this.text(`${path}?${parameters.join('&')}`);
  }
}

/**
 * The same JSON without halves of characters: programs cut texts between the two that make an emoji, and readers that are
 * strict refuse the whole file for one. Each half becomes U+FFFD.
 */
export function wellFormed<Value>(value: Value): Value;
export function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(member => wellFormed(member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), wellFormed(member)]));
}

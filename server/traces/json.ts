/** Reading JSON that others wrote: what is not of the asked kind is absent. */
export type JsonObject = { readonly [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(value: unknown, key: string): JsonObject | null {
  const member = isObject(value) ? value[key] : undefined;
  return isObject(member) ? member : null;
}

export function arrayAt(value: unknown, key: string): readonly unknown[] {
  const member = isObject(value) ? value[key] : undefined;
  return Array.isArray(member) ? member : [];
}

export function stringAt(value: unknown, key: string): string | null {
  const member = isObject(value) ? value[key] : undefined;
  return typeof member === 'string' ? member : null;
}

/** A count: a non-negative whole number, exact. */
export function countAt(value: unknown, key: string): number | null {
  const member = isObject(value) ? value[key] : undefined;
  return Number.isSafeInteger(member) && (member as number) >= 0 ? (member as number) : null;
}

/** Undefined when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

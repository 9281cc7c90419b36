import { InvalidArgumentError } from 'commander';

/** Reads an option that is a number, such as `2.50`. */
export function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new InvalidArgumentError('Give a number, such as 2.50.');
  return value;
}

/** Reads an option that counts something. Its bounds are the request's own. */
export function wholeNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Give a whole number, such as 2.');
  return value;
}

/** Reads an option that is a port. */
export function portNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError('Give a port from 0 to 65535; 0 takes a free one.');
}

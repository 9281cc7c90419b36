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

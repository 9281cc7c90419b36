/**
 * Splits an amount into equal parts without losing a cent; the first parts get the cents that are left over.
 * @param {number} cents whole cents, may be negative
 * @param {number} parts whole number, at least 1
 */
export function split(cents, parts) {
  if (!Number.isInteger(parts) || parts < 1) throw new RangeError(`Can't split into ${parts} parts`);
  const sign = Math.sign(cents);
  const share = Math.floor(Math.abs(cents) / parts);
  const left = Math.abs(cents) - share * parts;
  return Array.from({ length: parts }, (_, index) => sign * (share + (index < left ? 1 : 0)));
}

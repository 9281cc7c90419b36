const pattern = /^(-?)(\d+)(?:\.(\d+))?$/;

/**
 * Reads a decimal number as cents: `parseAmount('12.5')` is 1250.
 * @throws {TypeError} when the text is no decimal number
 */
export function parseAmount(text) {
  const match = pattern.exec(text.trim().replaceAll(',', ''));
  if (match === null) throw new TypeError(`Not an amount: ${JSON.stringify(text)}`);
  const [, sign, whole, fraction = ''] = match;
  const cents = Number(whole) * 100 + Number(fraction.padEnd(2, '0').slice(0, 2));
  return sign === '-' ? -cents : cents;
}

/** Sum of amounts in cents; 0 for none. */
export function total(amounts) {
  return amounts.reduce((sum, amount) => sum + amount, 0);
}

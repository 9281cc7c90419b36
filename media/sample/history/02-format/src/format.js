/** Writes cents as a decimal number with grouped thousands: `formatAmount(-123456)` is `'-1,234.56'`. */
export function formatAmount(cents) {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  const whole = digits.slice(0, -2).replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return `${cents < 0 ? '-' : ''}${whole}.${digits.slice(-2)}`;
}

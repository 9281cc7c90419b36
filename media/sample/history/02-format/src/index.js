export { parseAmount, total } from './amount.js';
export { formatAmount } from './format.js';

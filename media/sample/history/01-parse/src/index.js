export { parseAmount, total } from './amount.js';

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAmount, parseAmount } from '../src/index.js';

describe('formatAmount', () => {
  it('writes two decimals', () => {
    assert.equal(formatAmount(1250), '12.50');
    assert.equal(formatAmount(5), '0.05');
    assert.equal(formatAmount(0), '0.00');
  });

  it('groups thousands', () => {
    assert.equal(formatAmount(123456789), '1,234,567.89');
    assert.equal(formatAmount(-123456), '-1,234.56');
  });

  it('is read back as the same amount', () => {
    for (const cents of [0, 1, -1, 99, 100, 123456789]) assert.equal(parseAmount(formatAmount(cents)), cents);
  });
});

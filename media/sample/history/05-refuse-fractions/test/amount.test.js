import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAmount, total } from '../src/index.js';

describe('parseAmount', () => {
  it('reads whole numbers', () => {
    assert.equal(parseAmount('12'), 1200);
  });

  it('reads one and two decimals', () => {
    assert.equal(parseAmount('12.5'), 1250);
    assert.equal(parseAmount('0.05'), 5);
  });

  it('reads negative amounts and grouped thousands', () => {
    assert.equal(parseAmount('-3.20'), -320);
    assert.equal(parseAmount('1,234,567.89'), 123456789);
  });

  it('refuses fractions of a cent', () => {
    assert.throws(() => parseAmount('1.005'), TypeError);
  });

  it('refuses what is no number', () => {
    assert.throws(() => parseAmount('twelve'), TypeError);
    assert.throws(() => parseAmount(''), TypeError);
  });
});

describe('total', () => {
  it('adds without rounding errors', () => {
    assert.equal(total([10, 20]), 30);
    assert.equal(total(['0.1', '0.2'].map(parseAmount)), 30);
  });

  it('is zero for no amounts', () => {
    assert.equal(total([]), 0);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { split, total } from '../src/index.js';

describe('split', () => {
  it('splits evenly', () => {
    assert.deepEqual(split(900, 3), [300, 300, 300]);
  });

  it('gives the first parts what is left over', () => {
    assert.deepEqual(split(1000, 3), [334, 333, 333]);
    assert.deepEqual(split(-1000, 3), [-334, -333, -333]);
  });

  it('never loses a cent', () => {
    for (let parts = 1; parts <= 12; parts++) assert.equal(total(split(98765, parts)), 98765);
  });

  it('refuses less than one part', () => {
    assert.throws(() => split(100, 0), RangeError);
    assert.throws(() => split(100, 1.5), RangeError);
  });
});

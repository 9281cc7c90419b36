import { describe, expect, it } from 'vitest';
import { RestartPolicy } from '../../../client/restartPolicy.ts';

const second = 1000;

describe('restarting a lost server', () => {
  it('stops by itself after four times in three minutes', () => {
    const policy = new RestartPolicy();
    expect([1, 2, 3, 4, 5].map(at => policy.allows(at * second))).toEqual([true, true, true, true, false]);
  });

  it('goes on for ever when the server lives for a minute each time', () => {
    const policy = new RestartPolicy();
    const crashes = Array.from({ length: 50 }, (_, index) => policy.allows(index * 61 * second));
    expect(crashes).not.toContain(false);
  });

  it('starts counting again when the person restarts', () => {
    const policy = new RestartPolicy();
    for (let at = 0; at < 5; at++) policy.allows(at);
    policy.reset();
    expect(policy.allows(6)).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { rewardOf } from '../../../../server/bench/verifier/scriptVerifier.ts';

const of = (json: string | null, text: string | null) =>
  rewardOf(json === null ? null : Buffer.from(json), text === null ? null : Buffer.from(text));

describe('the reward that a script wrote', () => {
  it.each([
    ['reward.json before reward.txt', '{"reward": 0.25}', '1', 0.25],
    ['the one called reward of several', '{"speed": 0.1, "reward": 1}', null, 1],
    ['the only one, whatever it is called', '{"accuracy": 0.5}', null, 0.5],
    ['a bare number', '1', null, 1],
    ['text with space around it', null, ' 0.5\n', 0.5],
    ['none where there is no file', null, null, null],
    ['none where the file is empty', null, '\n', null],
  ])('is %s', (_, json, text, reward) => {
    expect(of(json, text)).toBe(reward);
  });

  it.each([
    ['above 1', null, '2'],
    ['a word', null, 'passed'],
    ['several without a name', '{"a": 1, "b": 0}', '1'],
    ['JSON that is none', '{', '1'],
    ['text in JSON', '{"reward": "1"}', '1'],
  ])('is a fault of the verifier when it is %s', (_, json, text) => {
    expect(() => of(json, text)).toThrowError(expect.objectContaining({ code: 'verifier.failed' }));
  });
});

import { expect, it } from 'vitest';
import { HiddenValues, maxHiddenValues } from '../../../../server/traces/redaction/hiddenValues.ts';

/** What a place hides. */
function aPlace() {
  const hidden = new Set<string>();
  return {
    hidden,
    hide: (value: string) => void hidden.add(value),
    forget: (value: string) => void hidden.delete(value),
  };
}

const values = (count: number, name = 'value') => Array.from({ length: count }, (_, index) => `${name}-${index}`);

it('hides the latest values of launches everywhere, and those of the server as long as it lives', () => {
  const places = [aPlace(), aPlace()];
  const secrets = new HiddenValues(places);
  secrets.keep(['of the server', 'value-3']);
  secrets.hide(['of the server', ...values(maxHiddenValues)]);
  secrets.hide(['value-0']);
  secrets.hide(values(10, 'later'));
  for (const { hidden } of places) {
    expect(hidden.size).toBe(maxHiddenValues + 2);
    expect(['of the server', 'value-0', 'value-3', 'later-9'].every(value => hidden.has(value))).toBe(true);
    expect(['value-1', 'value-2', 'value-4'].some(value => hidden.has(value))).toBe(false);
  }
});

it('tells a value once, however many launches bring it', () => {
  const told: string[] = [];
  const secrets = new HiddenValues([{ hide: value => void told.push(value), forget: () => undefined }]);
  secrets.hide(['a value']);
  secrets.hide(['a value', 'another']);
  expect(told).toEqual(['a value', 'another']);
});

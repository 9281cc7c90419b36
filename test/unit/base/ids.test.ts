import { describe, expect, it } from 'vitest';
import { orderedId } from '../../../server/base/ids.ts';

describe('an id with its time', () => {
  it('is a UUID of version 7 that sorts by its time', () => {
    const times = [0, 1, 255, 1_700_000_000_000, 1_700_000_000_001.5, 2 ** 47];
    const ids = times.map(orderedId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(Number.parseInt(ids[3]?.replaceAll('-', '').slice(0, 12) ?? '', 16)).toBe(1_700_000_000_000);
  });

  it('is another one each time', () => {
    expect(new Set(Array.from({ length: 1000 }, () => orderedId(1))).size).toBe(1000);
  });
});

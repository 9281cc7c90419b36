import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isTarget, targets } from '../../../scripts/build.ts';
import { root } from '../../../scripts/root.ts';
import { machineOf } from '../../../scripts/vsix.ts';

const prebuilds = join(root, 'node_modules', 'better-sqlite3', 'prebuilds');

it('tells by its header which machine a native module is for', () => {
  const known = Object.entries(targets);
  expect(known.map(([, name]) => machineOf(readFileSync(join(prebuilds, `${name}.node`))))).toEqual(
    known.map(([target]) => target),
  );
  expect(known.every(([target]) => isTarget(target))).toBe(true);
  expect([machineOf(Buffer.alloc(0)), machineOf(Buffer.from('#!/bin/sh\n'.repeat(10)))]).toEqual([null, null]);
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hostTarget, type Target, targets } from '../../scripts/build.ts';
import { packageExtension } from '../../scripts/package.ts';
import { root } from '../../scripts/root.ts';
import { faultsOf, readArchive } from '../../scripts/vsix.ts';
import { temporaryDirectory } from '../temporary.ts';

it('packs another machine’s extension with that machine’s native module, and leaves this build alone', async () => {
  const other: Target = hostTarget() === 'win32-arm64' ? 'linux-x64' : 'win32-arm64';
  const own = join(root, 'dist', `${targets[hostTarget()]}.node`);
  const before = readFileSync(own);
  const file = await packageExtension(other, join(temporaryDirectory(), 'other.vsix'));
  const entries = readArchive(file);
  const native = entries.get(`extension/dist/${targets[other]}.node`)?.();
  const original = join(root, 'node_modules', 'better-sqlite3', 'prebuilds', `${targets[other]}.node`);
  expect(native?.equals(readFileSync(original))).toBe(true);
  expect([...entries.keys()].filter(name => name.endsWith('.node'))).toHaveLength(1);
  expect(entries.get('extension/package.json')?.().toString()).toContain('"codex-coach"');
  expect(entries.get('extension/dist/background.cjs')?.().toString()).toContain(`${targets[other]}.node`);
  expect(readFileSync(own).equals(before)).toBe(true);
  expect(faultsOf(file, other)).toEqual([]);
  expect(faultsOf(file, 'darwin-x64')).toEqual([
    `Its native module is for ${other}.`,
    'Its manifest names another target.',
  ]);
}, 180_000);

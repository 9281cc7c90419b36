// Makes a VSIX for one target: `npm run package -- --target linux-x64`. Every target can be made on every machine.
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, hostTarget, isTarget, type Target, targets } from './build.ts';
import { thirdPartyNotices } from './notices.ts';
import { binary, root } from './root.ts';

const maxSizeBytes = 8_000_000;

/** Builds dist/ and packs it. Answers the VSIX file. */
export async function packageExtension(target: Target, file = defaultFile(target)): Promise<string> {
  const metafiles = await build({ target, dev: false });
  writeFileSync(join(root, 'dist', 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(metafiles));
  mkdirSync(dirname(file), { recursive: true });
  const argv = ['package', '--no-dependencies', '--target', target, '--out', file];
  const vsce = spawnSync(binary('vsce'), argv, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (vsce.status !== 0) throw new Error(`vsce failed:\n${vsce.stdout}${vsce.stderr}`);
  const { size } = statSync(file);
  if (size > maxSizeBytes) throw new Error(`${file} has ${size} bytes; at most ${maxSizeBytes} are wanted.`);
  return file;
}

function defaultFile(target: Target): string {
  return join(root, 'dist', `codex-coach-${target}.vsix`);
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { target: { type: 'string' }, out: { type: 'string' } } });
  const target = values.target ?? hostTarget();
  if (!isTarget(target)) throw new Error(`Unknown target ${target}. Targets: ${Object.keys(targets).join(', ')}`);
  const file = await packageExtension(target, values.out);
  console.log(`${file}  ${(statSync(file).size / 1_000_000).toFixed(1)} MB`);
}

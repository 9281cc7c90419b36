// Makes a VSIX for one target, or with `--all` for each: `npm run package -- --target linux-x64`. Every target can be made
// on every machine, and none of it touches the build in dist/ that this machine runs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, hostTarget, isTarget, type Target, targets } from './build.ts';
import { thirdPartyNotices } from './notices.ts';
import { binary, root } from './root.ts';
import { faultsOf } from './vsix.ts';

const maxSizeBytes = 8_000_000;

/** What is packed beside the build; `.vscodeignore` chooses among it. */
const packed = [
  ...['.vscodeignore', 'package.json', 'package.nls.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'media'],
  'l10n',
];

/**
 * Builds for a target, packs it and looks into the package. Answers the VSIX file.
 * @throws Error when it is larger than 8 MB, or holds anything but this extension for this target
 */
export async function packageExtension(target: Target, file = defaultFile(target)): Promise<string> {
  const staging = mkdtempSync(join(tmpdir(), 'coach-package-'));
  try {
    for (const name of packed) cpSync(join(root, name), join(staging, name), { recursive: true });
    const outDir = join(staging, 'dist');
    const metafiles = await build({ target, dev: false, outDir });
    writeFileSync(join(outDir, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(metafiles));
    mkdirSync(dirname(file), { recursive: true });
    const argv = ['package', '--no-dependencies', '--target', target, '--out', resolve(file)];
    const shell = process.platform === 'win32';
    const vsce = spawnSync(binary('vsce'), argv, { cwd: staging, encoding: 'utf8', shell });
    if (vsce.status !== 0) throw new Error(`vsce failed:\n${vsce.stdout}${vsce.stderr}`);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  const { size } = statSync(file);
  if (size > maxSizeBytes) throw new Error(`${file} has ${size} bytes; at most ${maxSizeBytes} are wanted.`);
  const faults = faultsOf(file, target);
  if (faults.length > 0) throw new Error(`${file} is not fit for ${target}:\n${faults.join('\n')}`);
  return file;
}

function defaultFile(target: Target): string {
  return join(root, 'dist', `codex-coach-${target}.vsix`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { target: { type: 'string' }, all: { type: 'boolean', default: false }, out: { type: 'string' } },
  });
  const target = values.target ?? hostTarget();
  if (!isTarget(target)) throw new Error(`Unknown target ${target}. Targets: ${Object.keys(targets).join(', ')}`);
  for (const each of values.all ? Object.keys(targets).filter(isTarget) : [target]) {
    const file = await packageExtension(each, values.all ? undefined : values.out);
    console.log(`${file}  ${(statSync(file).size / 1_000_000).toFixed(1)} MB`);
  }
}

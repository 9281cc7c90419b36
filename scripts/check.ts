// Format, lint, layers, circles of imports, types, dead code, generated files: `npm run check`. Every part runs, then the verdict.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { binary, root } from './root.ts';

const parts: readonly { name: string; argv: readonly [string, ...string[]]; mend: string }[] = [
  {
    name: 'format and lint',
    argv: [binary('biome'), 'check', '--error-on-warnings', '.'],
    mend: 'npx biome check --write .',
  },
  { name: 'types', argv: [binary('tsc'), '-p', root], mend: '' },
  { name: 'layers', argv: [process.execPath, join(root, 'scripts', 'layers.ts')], mend: 'see docs/architecture.md' },
  {
    name: 'no circles of imports',
    argv: [process.execPath, join(root, 'scripts', 'circles.ts')],
    mend: 'give what both need, often a type, a file of its own',
  },
  { name: 'dead code', argv: [binary('knip')], mend: '' },
  {
    name: 'generated contributions',
    argv: [process.execPath, join(root, 'scripts', 'contributions.ts'), '--check'],
    mend: 'node scripts/contributions.ts',
  },
];

const outcomes = await Promise.all(parts.map(async part => ({ ...part, ...(await run(part.argv)) })));
for (const { name, code, output, mend } of outcomes) {
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name}`);
  if (code !== 0) console.log(`${output.trim()}\n${mend === '' ? '' : `      Mend it with: ${mend}\n`}`);
}
process.exitCode = outcomes.every(({ code }) => code === 0) ? 0 : 1;

function run([program, ...args]: readonly [string, ...string[]]): Promise<{ code: number | null; output: string }> {
  return new Promise(resolve => {
    const child = spawn(program, args, { cwd: root, shell: process.platform === 'win32' });
    let output = '';
    child.stdout.on('data', chunk => {
      output += chunk;
    });
    child.stderr.on('data', chunk => {
      output += chunk;
    });
    child.on('close', code => resolve({ code, output }));
  });
}

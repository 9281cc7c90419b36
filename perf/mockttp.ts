import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toolsDirectory } from '../scripts/tools.ts';

const version = '4.6.5';

/** mockttp's entry, installed from npm beside the other tools when it is not there yet. @throws when it can't be */
export function mockttpModule(): string {
  const directory = join(toolsDirectory(), `mockttp-${version}`);
  if (!existsSync(join(directory, 'node_modules', 'mockttp'))) {
    mkdirSync(directory, { recursive: true });
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--prefix', directory];
    execFileSync('npm', ['install', ...flags, `mockttp@${version}`], { stdio: 'ignore', timeout: 180_000 });
  }
  return pathToFileURL(createRequire(join(directory, 'index.js')).resolve('mockttp')).href;
}

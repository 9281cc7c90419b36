import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../scripts/root.ts';

/** The exit code of a command of which nobody reads what it says. */
async function exitUnread(argv: string[], stream: 'stdout' | 'stderr'): Promise<number> {
  const child = spawn(process.execPath, [join(root, 'server', 'cli.ts'), ...argv], {
    stdio: ['ignore', stream === 'stdout' ? 'pipe' : 'ignore', stream === 'stderr' ? 'pipe' : 'ignore'],
  });
  child[stream]?.destroy();
  const [code] = await once(child, 'exit');
  return code as number;
}

it('keeps its exit code when nobody reads its notes', { timeout: 60_000 }, async () => {
  expect(await exitUnread(['/nosuch'], 'stderr')).toBe(2);
});

it('is done when nobody reads its output any more', { timeout: 60_000 }, async () => {
  expect(await exitUnread(['/now'], 'stdout')).toBe(0);
});

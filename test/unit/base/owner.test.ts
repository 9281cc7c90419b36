import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { abandonedScratches, makeScratch, removeScratch, retireScratch } from '../../../server/base/owner.ts';
import { temporaryDirectory } from '../../temporary.ts';

it('finds the scratch directories of a killed process, and leaves those of living ones and of others', async () => {
  const parent = temporaryDirectory();
  const module = new URL('../../../server/base/owner.ts', import.meta.url).href;
  const script = `import('${module}').then(m => m.temporaryScratch('bundle')).then(d => { console.log(d); setInterval(() => {}, 1e6); })`;
  const child = spawn(process.execPath, ['-e', script], {
    env: { PATH: process.env['PATH'], TMPDIR: parent },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const made = await new Promise<string>(resolve => child.stdout.once('data', text => resolve(String(text).trim())));
  await makeScratch(join(parent, 'coach-mine'));
  mkdirSync(join(parent, 'coach-of-nobody'));
  expect(await abandonedScratches(parent)).toEqual([]);
  child.kill('SIGKILL');
  await new Promise(resolve => child.once('exit', resolve));
  expect(existsSync(made)).toBe(true);
  expect([dirname(made), basename(made).slice(0, 13)]).toEqual([parent, 'coach-bundle-']);
  expect(await abandonedScratches(parent)).toEqual([made]);
});

it('finds what a process left half made or half removed', async () => {
  const parent = temporaryDirectory();
  const module = new URL('../../../server/base/owner.ts', import.meta.url).href;
  // Killed between the steps of making one: after its directory, and before that has its name.
  const script = `import('${module}').then(m => m.makeScratch('${parent}/coach-half'));
    const look = () => { if (require('node:fs').readdirSync('${parent}').length > 0) process.kill(process.pid, 'SIGKILL'); setImmediate(look); }; look();`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'inherit' });
  await new Promise(resolve => child.once('exit', resolve));
  await makeScratch(join(parent, 'coach-mine'));
  const retired = await retireScratch(join(parent, 'coach-mine'));
  const left = readdirSync(parent).map(name => join(parent, name));
  expect(left).toHaveLength(2);
  expect((await abandonedScratches(parent)).toSorted()).toEqual(left.toSorted());
  expect(left).toContain(retired);
  await makeScratch(join(parent, 'coach-whole'));
  await makeScratch(join(parent, 'coach-whole'));
  await removeScratch(join(parent, 'coach-whole'));
  await removeScratch(join(parent, 'coach-whole'));
  expect(readdirSync(parent)).toHaveLength(2);
});

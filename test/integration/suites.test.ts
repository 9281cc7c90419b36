import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunPlan } from '../../protocol/runs.ts';
import type { Suite } from '../../protocol/suites.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';
import { writePreparedTask, writeRepository } from './benchFixture.ts';

describe.skipIf(!requireFeature('sandbox'))('suites on the command line', () => {
  const setUp = () => {
    const world = aWorld();
    const root = join(temporaryDirectory(), 'numbers');
    writeRepository(root);
    writePreparedTask(root, 'mode');
    const cli = (...args: string[]) => world.cli(args, { cwd: root });
    const plan = ['--agent', 'oracle', '--executor', 'local', '--unproven', '--dry-run', '--json'];
    return { root, cli, plan };
  };

  it('are made, listed, changed, run with other tasks and deleted', async () => {
    const { root, cli, plan } = setUp();
    expect((await cli('suite', 'list')).stdout).toContain('No suites in this repository.');
    const made = await cli('suite', 'create', 'Small numbers', '--tasks', 'mode');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toContain('Next: codex-coach run --suite small-numbers');
    expect((await cli('suite', 'list')).stdout).toMatch(/small-numbers +1 +ready +Small numbers/);
    const planned = JSON.parse((await cli('run', 'median', '--suite', 'small-numbers', ...plan)).stdout) as RunPlan;
    expect(planned.trials).toBe(2);
    const added = await cli('suite', 'add', 'small-numbers', 'median', 'mode', '--json');
    expect((JSON.parse(added.stdout) as Suite).tasks).toEqual(['mode', 'median']);
    expect((await cli('suite', 'remove', 'small-numbers', 'mode')).stdout).toContain('  median');
    expect((await cli('suite', 'delete', 'small-numbers')).stdout).toContain('Its tasks stay.');
    expect(existsSync(join(root, '.coach', 'suites', 'small-numbers.toml'))).toBe(false);
  }, 60_000);

  it('say what they lack instead of being run in part', async () => {
    const { root, cli, plan } = setUp();
    await cli('suite', 'create', 'Both', '--tasks', 'mode', 'median');
    rmSync(join(root, '.coach', 'tasks', 'prepared', 'mode'), { recursive: true });
    expect((await cli('suite', 'list')).stdout).toMatch(/both +2 +1 missing/);
    expect((await cli('suite', 'show', 'both')).stdout).toContain('mode  (missing)');
    const run = await cli('run', '--suite', 'both', ...plan);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({
      error: {
        code: 'task.missing',
        message: expect.stringContaining('The suite both names tasks that are not prepared: mode.'),
      },
    });
    const unknown = await cli('run', 'median', '--suite', 'none', ...plan);
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: 'suite.missing' } });
    const nothing = await cli('run', '--agent', 'oracle');
    expect([nothing.code, nothing.stderr]).toEqual([2, 'error: name tasks, or a suite with --suite\n']);
  }, 60_000);
});

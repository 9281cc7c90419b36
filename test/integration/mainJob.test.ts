import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { interruptAt, startDemo, stepCount } from '../demoProcess.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, provideCodex, type World } from '../world.ts';

const canRun = requireFeature('codex') && requireFeature('sandbox');
describe.skipIf(!canRun)('the main job', () => {
  it('records, captures, proves, runs and reports with the real Codex, and leaves nothing running', async () => {
    const world = aWorld();
    provideCodex(world);
    const { code, stdout, stderr } = await startDemo(world).ended;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('reference = 1, no-op = 0');
    expect(rewardsOf(stdout)).toEqual({
      'codex (replay)': ['1.00', '1.00'],
      oracle: ['1.00', '1.00'],
      nop: ['0.00', '0.00'],
    });
    expect(stdout).toMatch(/Open the report: +file:/);
    expect(world.processes()).toEqual([]);

    const rows = c3(world);
    expect(rows.length).toBeGreaterThan(3);
    expect(new Set(rows.map(row => row.host))).toEqual(new Set(['api.openai.com']));
    expect(rows.every(row => typeof row.model === 'string')).toBe(true);
    sealedRepositoryHasNoFuture(repositoryOf(world));
  }, 180_000);

  it.each(Array.from({ length: stepCount }, (_, index) => index + 1))(
    'is interrupted in step %i without leaving anything',
    async step => {
      const world = aWorld();
      provideCodex(world);
      const demo = startDemo(world);
      await interruptAt(demo, `${step}/${stepCount}  `);
      const { code } = await demo.ended;
      // The last step is a matter of milliseconds: the job may be done before it hears of the interruption.
      expect(step === stepCount ? [0, 130] : [130]).toContain(code);
      await expect.poll(() => world.processes(), { timeout: 10_000 }).toEqual([]);
    },
    120_000,
  );

  it('runs again after an interruption', async () => {
    const world = aWorld();
    provideCodex(world);
    const first = startDemo(world);
    await interruptAt(first, `4/${stepCount}  `);
    await first.ended;
    expect((await startDemo(world).ended).code).toBe(0);
  }, 240_000);

  it('asks before it spends money', async () => {
    const world = aWorld();
    const { code, stderr } = await startDemo(world, ['--live'], { OPENAI_API_KEY: 'sk-test-of-the-main-job-0000' })
      .ended;
    expect(code).toBe(2);
    expect(stderr).toContain('--yes');
    expect(world.processes()).toEqual([]);
  });
});

/** Rewards by agent, as the table prints them. */
function rewardsOf(stdout: string): Record<string, string[]> {
  const rewards: Record<string, string[]> = {};
  for (const match of stdout.matchAll(/ {2}(codex \(replay\)|oracle|nop) +\d+ {2}\w+ +(\d\.\d\d|none)/g)) {
    rewards[match[1] ?? ''] = [...(rewards[match[1] ?? ''] ?? []), match[2] ?? ''];
  }
  return rewards;
}

/** The query of the README, as typed. */
function c3(world: World): { at: string; model: string; host: string }[] {
  const database = new Database(world.paths.tracesDb, { readonly: true });
  try {
    return database
      .prepare(
        "SELECT datetime(ts_ms/1000,'unixepoch') AS at, json_extract(request_json,'$.model') AS model, json_extract(meta_json,'$.upstream_host') AS host FROM traces WHERE json_extract(meta_json,'$.trialId') IS NULL ORDER BY ts_ms DESC LIMIT 10",
      )
      .all() as { at: string; model: string; host: string }[];
  } finally {
    database.close();
  }
}

function repositoryOf(world: World): string {
  const demo = readdirSync(world.paths.workspaces).find(name => name.startsWith('demo-'));
  return join(world.paths.workspaces, demo ?? '', 'sample');
}

function sealedRepositoryHasNoFuture(repository: string): void {
  const prepared = join(repository, '.coach', 'tasks', 'prepared');
  const task = join(prepared, readdirSync(prepared).find(name => !name.startsWith('.')) ?? '');
  const checkout = join(temporaryDirectory(), 'checkout');
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  execFileSync('git', ['clone', '--quiet', join(task, 'environment', 'repo.bundle'), checkout], { stdio: 'ignore' });
  expect(git('rev-list', '--all', '--count')).toBe('1');
  const patch = readFileSync(join(task, 'solution', 'solution.patch'), 'utf8');
  const blobs = [...patch.matchAll(/^index [0-9a-f]+\.\.([0-9a-f]+)/gm)]
    .map(match => match[1] ?? '')
    .filter(blob => !/^0+$/.test(blob));
  expect(blobs.length).toBeGreaterThan(0);
  for (const blob of blobs) expect(() => git('cat-file', '-e', blob)).toThrow();
  expect(existsSync(join(checkout, '.coach'))).toBe(false);
}

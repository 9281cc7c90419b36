import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TraceStore } from '../../../server/traces/store.ts';
import { noteSkip, requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import {
  aCodexWorld,
  type CodexOutcome,
  type CodexWorld,
  startTurn,
  storedExchanges,
  visibleWarnings,
} from './tracedCodex.ts';

/** A turn of Codex with two calls of the model, the first of them too large for what a full disk has left. */
async function aTurn(world: CodexWorld, name: string): Promise<CodexOutcome> {
  const turn = startTurn(world, `${randomBytes(60_000).toString('base64')}\nADD made.txt ${name}\nSAY Done.`);
  const outcome = await turn.done;
  expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('Done.') });
  expect(readFileSync(join(turn.directory, 'made.txt'), 'utf8')).toBe(`${name}\n`);
  return outcome;
}

/** Waits until the database holds as many exchanges as the upstream has answered, and finds it whole. */
async function expectAllStored(world: CodexWorld, calls = world.calls().length): Promise<void> {
  await expect.poll(() => storedExchanges(world).length, { interval: 200, timeout: 30_000 }).toBe(calls);
  expect(storedExchanges(world).map(({ error }) => error)).toEqual(Array(calls).fill(null));
}

/** Mounts over `directory` until the end of the test; false where this user may not. */
function mounted(directory: string, ...argv: string[]): boolean {
  try {
    execFileSync('mount', [...argv, directory], { stdio: 'ignore' });
  } catch {
    noteSkip('faults of a disk', 'this user may not mount one');
    return false;
  }
  onTestFinished(() => unmount(directory));
  return true;
}

function unmount(directory: string): void {
  try {
    execFileSync('umount', ['-l', directory], { stdio: 'ignore' });
  } catch {
    // The test has done so.
  }
}

/** Another process that keeps the database locked. Resolves once it does; the function returned ends that. */
async function lockedByAnother(file: string): Promise<() => Promise<void>> {
  const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
  const script = `const database = new (require(${JSON.stringify(sqlite)}))(${JSON.stringify(file)});
    database.exec('BEGIN IMMEDIATE');
    console.log('locked');
    process.stdin.resume().on('end', () => database.close());`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    const closed = once(child, 'close');
    child.stdin.end();
    await closed;
  };
}

/** Writes until nothing fits any more. */
function fill(file: string): void {
  for (const sizeBytes of [1_000_000, 4096, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(sizeBytes));
    } catch {
      // Full, for pieces of this size.
    }
  }
}

describe.skipIf(!requireFeature('codex'))('a fault of the disk while Codex works', { timeout: 180_000 }, () => {
  it('full: the turn goes on, a warning is seen, and what was meanwhile is stored when there is space', async () => {
    const place = join(temporaryDirectory(), 'coach');
    mkdirSync(place);
    if (!mounted(place, '-t', 'tmpfs', '-o', 'size=16m,mode=700', 'tmpfs')) return;
    const world = await aCodexWorld({}, {}, place);
    await aTurn(world, 'before');
    fill(join(place, 'ballast'));
    await aTurn(world, 'meanwhile');
    expect(await visibleWarnings(world)).toMatchObject({ uncaptured: 0, fault: { fault: 'full', over: false } });
    expect(storedExchanges(world).length).toBeLessThan(world.calls().length);
    rmSync(join(place, 'ballast'));
    await expectAllStored(world);
    await aTurn(world, 'after');
    await expectAllStored(world);
    expect((await visibleWarnings(world)).log).toContain('is full');
  });

  it('a database that another program locks for 30 s: the same', async () => {
    const world = await aCodexWorld();
    await aTurn(world, 'before');
    const release = await lockedByAnother(world.home.paths.tracesDb);
    const lockedFor = delay(30_000);
    await aTurn(world, 'meanwhile');
    await aTurn(world, 'still');
    expect(await visibleWarnings(world)).toMatchObject({
      uncaptured: 0,
      fault: { fault: 'locked', over: false },
      log: expect.stringContaining('keeps'),
    });
    await lockedFor;
    expect(storedExchanges(world)).toHaveLength(2);
    await release();
    await expectAllStored(world);
    await aTurn(world, 'after');
    await expectAllStored(world);
  });

  it.each([
    ['alone', ['']],
    ['with its journal', ['', '-wal', '-shm']],
  ])(
    'a database that is deleted in the middle of a turn, %s: the rest is whole in a new one',
    async (_how, suffixes) => {
      let calls = 0;
      const world = await aCodexWorld({
        halfway() {
          if (++calls === 4) for (const suffix of suffixes) rmSync(`${world.home.paths.tracesDb}${suffix}`);
          return null;
        },
      });
      await aTurn(world, 'before');
      const { threadId } = await aTurn(world, 'meanwhile');
      expect(await visibleWarnings(world)).toMatchObject({
        uncaptured: 0,
        fault: { fault: 'replaced', over: true },
        log: expect.stringContaining('was deleted'),
      });
      await aTurn(world, 'after');
      await expectAllStored(world, 3);
      const store = new TraceStore(world.home.paths.tracesDb);
      onTestFinished(() => store.dispose());
      const [whole] = [...store.wholeExchanges(threadId)];
      expect(JSON.stringify(whole?.request)).toContain('ADD made.txt meanwhile');
    },
  );

  it('a directory that is mounted read-only: nothing is lost', async () => {
    const world = await aCodexWorld();
    await aTurn(world, 'before');
    const { home } = world.home.paths;
    if (!mounted(home, '--bind', home)) return;
    execFileSync('mount', ['-o', 'remount,bind,ro', home]);
    await aTurn(world, 'meanwhile');
    unmount(home);
    await aTurn(world, 'after');
    await expectAllStored(world);
  });

  it('a read-only file that is mounted over the database: what was meanwhile is stored when that is gone', async () => {
    const world = await aCodexWorld();
    const { tracesDb } = world.home.paths;
    await aTurn(world, 'before');
    const empty = join(temporaryDirectory(), 'empty');
    writeFileSync(empty, '');
    if (!mounted(tracesDb, '--bind', empty)) return;
    execFileSync('mount', ['-o', 'remount,bind,ro', tracesDb]);
    await aTurn(world, 'meanwhile');
    expect(await visibleWarnings(world)).toMatchObject({ uncaptured: 0, fault: { fault: 'readOnly', over: false } });
    expect((await visibleWarnings(world)).log).toContain("can't be written to");
    unmount(tracesDb);
    await expectAllStored(world);
    await aTurn(world, 'after');
    await expectAllStored(world);
  });
});

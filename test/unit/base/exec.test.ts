import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exec, isAlive, start } from '../../../server/base/exec.ts';
import { temporaryDirectory } from '../../temporary.ts';

const env = { PATH: process.env['PATH'] };

it('gives output, exit code and signal', async () => {
  const outcome = await exec({ argv: ['sh', '-c', 'cat; echo oops >&2; exit 3'], env, stdin: 'hello' });
  expect([outcome.exitCode, outcome.stdout.toString(), outcome.stderr.toString()]).toEqual([3, 'hello', 'oops\n']);
});

it('passes only the given environment', async () => {
  const { stdout } = await exec({ argv: ['/usr/bin/env'], env: { ONLY: 'this' } });
  expect(stdout.toString()).toBe('ONLY=this\n');
});

it('names a missing program', async () => {
  await expect(exec({ argv: ['no-such-program-here'], env })).rejects.toMatchObject({ code: 'agent.missing' });
});

it('kills the whole group on abort, also a child that ignores TERM', async () => {
  const directory = temporaryDirectory();
  const pidFile = join(directory, 'pid');
  const controller = new AbortController();
  const running = exec(
    { argv: ['sh', '-c', `(trap '' TERM; echo $$ > ${pidFile}.sub; sleep 60) & echo $! > ${pidFile}; sleep 60`], env },
    controller.signal,
  );
  const pid = await until(() => Number(readFileSync(pidFile, 'utf8')) || null);
  controller.abort();
  await expect(running).rejects.toThrow();
  await until(() => (isGone(pid) ? true : null));
}, 15_000);

it('does not wait for a grandchild that holds the output', async () => {
  const startedMs = Date.now();
  const execution = start({ argv: ['sh', '-c', 'sleep 30 & echo done'], env });
  const outcome = await execution.done;
  expect(outcome.stdout.toString()).toBe('done\n');
  expect(Date.now() - startedMs).toBeLessThan(9000);
  await execution.kill();
}, 15_000);

it('keeps at most maxBytes but passes everything on', async () => {
  let passed = 0;
  const outcome = await exec({
    argv: ['sh', '-c', 'head -c 3000000 /dev/zero'],
    env,
    maxBytes: 1000,
    onStdout: chunk => {
      passed += chunk.length;
    },
  });
  expect(passed).toBe(3_000_000);
  expect(outcome.stdout.length).toBeLessThan(200_000);
});

function isGone(pid: number): boolean {
  if (!isAlive(pid)) return true;
  // A zombie whose parent is the container's init still has a pid.
  return /State:\s+Z/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function until<T>(probe: () => T | null, timeoutMs = 10_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      const value = probe();
      if (value !== null) return value;
    } catch {
      // Not there yet.
    }
    if (Date.now() > deadline) throw new Error('Waited too long.');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

it('makes a program wait while its output is taken', async () => {
  let open = 0;
  let mostOpen = 0;
  let sizeBytes = 0;
  const outcome = await exec({
    argv: ['head', '-c', '1000000', '/dev/zero'],
    env,
    maxBytes: 0,
    async onStdout(chunk) {
      mostOpen = Math.max(mostOpen, ++open);
      sizeBytes += chunk.length;
      await new Promise(resolve => setTimeout(resolve, 10));
      open--;
    },
  });
  expect([outcome.exitCode, sizeBytes]).toEqual([0, 1_000_000]);
  // Node lets go of a pipe when its program has ended: what was left in it then comes without waiting.
  expect(mostOpen).toBeLessThanOrEqual(3);
});

it('ends a program that prints without end at once, also while its output waits', async () => {
  const startedMs = Date.now();
  const running = exec({ argv: ['yes'], env, onStdout: () => new Promise(() => undefined) }, AbortSignal.timeout(200));
  await expect(running).rejects.toThrow(/timeout/);
  expect(Date.now() - startedMs).toBeLessThan(2000);
});

it('counts a process that ended as gone, also when nobody has collected it', async () => {
  const directory = temporaryDirectory();
  const pidFile = join(directory, 'pid');
  const parent = start({ argv: ['sh', '-c', `true & echo $! > ${pidFile}; exec sleep 60`], env });
  try {
    await expect.poll(() => readFileSync(pidFile, 'utf8').trim()).not.toBe('');
    await expect.poll(() => isAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
    expect(isAlive(parent.pid)).toBe(true);
  } finally {
    await parent.kill();
  }
});

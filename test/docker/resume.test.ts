import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../server/base/log.ts';
import { makeScratch } from '../../server/base/owner.ts';
import type { PreparedEnvironment, Sandbox } from '../../server/executors/executor.ts';
import { anEnvironment, temporaryDirectory, testDockerExecutor } from '../integration/executorsFixture.ts';
import { killAgainAndAgain } from '../integration/killedRun.ts';
import { requireFeature } from '../require.ts';
import { watchEngine } from './engineWatch.ts';

const never = new AbortController().signal;
const limits = { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 128, diskBytes: 64 * 1024 ** 2 };

describe.skipIf(!requireFeature('docker'))('a container whose server died', () => {
  const directory = temporaryDirectory('adopted');
  const scratch = join(directory.path, 'claim');
  const name = `coach-adopted-${process.pid}-${Date.now()}`;
  let sandbox: Sandbox | null = null;
  afterEach(async () => {
    await sandbox?.remove();
    directory.dispose();
  });
  const stateOf = (format: string) =>
    execFileSync('docker', ['inspect', '--format', format, name], { encoding: 'utf8' });

  it('goes on with its agent under the next one: the same process, its whole output, one start', async () => {
    const spec = anEnvironment(directory.path, { 'a.txt': 'a\n' });
    const prepared: PreparedEnvironment = await testDockerExecutor().prepare(spec, silentLog, never);
    mkdirSync(scratch);
    await makeScratch(scratch);
    const first = await prepared.start({ name, labels: {}, endpoint: null, mounts: [], limits, claim: scratch }, never);
    sandbox = first;
    const before = stateOf('{{.State.StartedAt}} {{.State.Pid}} {{.Id}}');
    const argv = [
      'sh',
      '-c',
      'echo began $$ >> runs.txt; echo one $$; read line; sleep 2; echo two $$ $line >&2; exit 7',
    ] as const;
    const heard = { stdout: '', stderr: '' };
    const command = (hasStarted: boolean) => ({
      argv: [...argv] as [string, ...string[]],
      ...{ cwd: '/app', env: {}, stdin: 'the task\n' },
      onStdout(chunk: Buffer) {
        heard.stdout += chunk.toString();
      },
      onStderr(chunk: Buffer) {
        heard.stderr += chunk.toString();
      },
      lasting: {
        hasStarted,
        stdoutFrom: heard.stdout.length,
        stderrFrom: heard.stderr.length,
        onStarted: () => undefined,
      },
    });
    // Its connections to the engine just go on in this process, and nobody listens any more.
    const lost = first.exec(command(false), never).catch(() => undefined);
    await expect.poll(() => heard.stdout, { timeout: 20_000 }).toMatch(/^one \d+\n$/);
    const next = testDockerExecutor();
    const adopted = await next.adopt?.(spec, name, never);
    expect(adopted?.id).toBe(first.id);
    const known = heard.stdout;
    const outcome = await adopted?.exec(command(true), never);
    await lost;
    expect(outcome?.exitCode).toBe(7);
    const [, pid] = /^one (\d+)/.exec(known) ?? [];
    expect(outcome?.stdout.toString()).toBe('');
    expect(outcome?.stderr.toString()).toBe(`two ${pid} the task\n`);
    // Asked to start once more, it does not.
    await adopted?.exec(command(false), never);
    const runs = await adopted?.exec({ argv: ['cat', 'runs.txt'], cwd: '/app', env: {} }, never);
    expect(runs?.stdout.toString()).toBe(`began ${pid}\n`);
    expect(stateOf('{{.State.StartedAt}} {{.State.Pid}} {{.Id}}')).toBe(before);
    await first.remove();
    expect(await next.adopt?.(spec, name, never)).toBeNull();
  });
});

describe.skipIf(!requireFeature('docker'))('a run whose server is killed', () => {
  it('20 times at random moments comes to one verdict per trial, each agent started once per try, and leaves nothing', async () => {
    const engine = watchEngine();
    const run = await killAgainAndAgain({ executor: 'docker', kills: 20, attempts: 8, look: () => engine.look() });
    expect(run).toMatchObject({ trials: 8, wrong: [], twice: [], left: { processes: [], directories: [] } });
    expect(engine.seenVolumes()).toBeGreaterThan(0);
    expect(engine.left(run)).toEqual({ containers: [], networks: [], volumes: [] });
  }, 600_000);
});

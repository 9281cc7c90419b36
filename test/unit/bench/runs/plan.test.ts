import { describe, expect, it } from 'vitest';
import { CoachError } from '../../../../protocol/errors.ts';
import type { AgentChoice } from '../../../../protocol/runs.ts';
import { findAgent } from '../../../../server/agents/index.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { prepareEnvironments } from '../../../../server/bench/environments.ts';
import { newRunId, planAgents, planTrials } from '../../../../server/bench/runs/plan.ts';
import { runEach } from '../../../../server/bench/scheduler.ts';
import { expectedTests } from '../../../../server/bench/validate.ts';
import { testPaths } from '../../../../server/bench/verifier/verify.ts';
import type { Executor, PreparedEnvironment } from '../../../../server/executors/executor.ts';
import type { PreparedTask } from '../../../../server/tasks/preparedTask.ts';

const choose = (changes: Partial<AgentChoice>): AgentChoice => ({
  id: 'codex',
  model: null,
  label: null,
  command: null,
  replay: null,
  ...changes,
});

const aTask = (changes: Partial<PreparedTask> = {}): PreparedTask => ({
  name: 'median',
  directory: '/tasks/median',
  title: 'Median',
  kind: 'code',
  instruction: 'Do it.',
  bundle: '/tasks/median/environment/repo.bundle',
  environment: '/tasks/median/environment',
  baseImage: 'node:24-bookworm-slim',
  workdir: '/app',
  tests: { root: '/tasks/median/tests/files', paths: ['test/new.test.js', 'old.js'], changed: ['test/new.test.js'] },
  solutionPatch: Buffer.alloc(0),
  solve: null,
  rubric: null,
  verifier: {
    kind: 'tests',
    command: 'node --test',
    resultFormat: 'junit',
    resultFile: '/logs/verifier/junit.xml',
    timeoutSec: 60,
    failToPass: [],
    passToPass: [],
    mustFail: [],
    exitsCleanly: false,
  },
  agentTimeoutSec: null,
  proof: null,
  ...changes,
});

describe('the plan of a run', () => {
  it('labels agents by id and model, and refuses two that would share a directory', () => {
    const labels = (choices: AgentChoice[]) => planAgents(choices, findAgent).map(agent => agent.label);
    expect(labels([choose({}), choose({ model: 'gpt-5.5' }), choose({ label: 'mine' })])).toEqual([
      'codex',
      'codex/gpt-5.5',
      'mine',
    ]);
    expect(() => labels([choose({ label: 'a/b' }), choose({ label: 'a-b' })])).toThrow(
      expect.objectContaining({ code: 'input.invalid' }),
    );
  });

  it('runs every agent on every task once before it starts the next attempt', () => {
    const agents = planAgents([choose({}), choose({ id: 'nop' })], findAgent);
    const tasks = [aTask(), aTask({ name: 'mode' })];
    const trials = planTrials({ id: 'r', directory: '/runs/r' }, tasks, agents, 2);
    expect(trials.map(trial => `${trial.id} ${trial.task} ${trial.agentLabel} ${trial.attempt}`)).toEqual([
      'r.1 median codex 1',
      'r.2 median nop 1',
      'r.3 mode codex 1',
      'r.4 mode nop 1',
      'r.5 median codex 2',
      'r.6 median nop 2',
      'r.7 mode codex 2',
      'r.8 mode nop 2',
    ]);
    expect(trials[0]).toMatchObject({
      directory: '/runs/r/median__codex__1',
      agentVersion: '0.169.0',
      taskProven: false,
    });
  });

  it('gives runs ids that sort by time', () => {
    expect(newRunId(Date.parse('2026-11-21T14:25:03Z'))).toMatch(/^20261121-142503-[0-9a-f]{4}$/);
  });
});

describe('the scheduler', () => {
  it('keeps to its number, goes on after a failure and then reports it', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const work = async (item: number) => {
      most = Math.max(most, ++running);
      await new Promise(resolve => setTimeout(resolve, 5));
      running--;
      if (item === 2) throw new Error('two');
      done.push(item);
    };
    await expect(runEach([1, 2, 3, 4, 5], 2, work)).rejects.toThrow('two');
    expect(most).toBe(2);
    expect(done).toEqual([1, 3, 4, 5]);
  });
});

describe('building environments', () => {
  const environment: PreparedEnvironment = { base: null, start: () => Promise.reject(new Error('not here')) };
  const executor = (id: string, prepare: Executor['prepare']): Executor => ({
    id,
    title: id,
    notIsolated: [],
    probe: async () => ({ id, title: id, available: true, detail: '', notIsolated: [] }),
    prepare,
    sweep: async () => 0,
  });
  const signal = new AbortController().signal;
  const failing = (code: 'docker.imageMissing' | 'docker.failed') =>
    executor('docker', () => Promise.reject(new CoachError(code, 'no image')));
  const local = executor('local', async () => environment);

  it('goes on with the next executor for all tasks when an image can not be had, and says so', async () => {
    const told: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void told.push(message) };
    const environments = await prepareEnvironments(
      [aTask(), aTask({ name: 'b' })],
      [failing('docker.imageMissing'), local],
      log,
      signal,
    );
    expect(environments.executor.id).toBe('local');
    expect(environments.of(aTask())).toBe(environment);
    expect(told).toEqual(["docker can't be used (no image); going on with local."]);
  });

  it('keeps the executor when only one task can not be built', async () => {
    const environments = await prepareEnvironments([aTask()], [failing('docker.failed'), local], silentLog, signal);
    expect(environments.executor.id).toBe('docker');
    expect(() => environments.of(aTask())).toThrow(expect.objectContaining({ code: 'docker.failed' }));
  });

  it('has nothing to fall back to when one executor was asked for', async () => {
    const environments = await prepareEnvironments([aTask()], [failing('docker.imageMissing')], silentLog, signal);
    expect(() => environments.of(aTask())).toThrow(expect.objectContaining({ code: 'docker.imageMissing' }));
  });
});

describe('what a change may not bring along', () => {
  const isTest = testPaths(['test/new.test.js'], { failToPass: [], passToPass: ['test/old.test.js > adds'] });
  it.each([
    ['test/new.test.js', true],
    ['test/old.test.js', true],
    ['test', true],
    ['test/new.test.js/x', true],
    ['test/other.js', false],
    ['src/new.test.js', true],
    ['src/conftest.py', true],
    ['vitest.config.ts', true],
    ['src/new.js', false],
  ])('%s: %s', (path, expected) => {
    expect(isTest(path)).toBe(expected);
  });
});

describe('what a reference proves', () => {
  const run = (outcomes: Record<string, 'passed' | 'failed' | 'skipped'> | null) => ({
    exitCode: 0,
    timedOut: false,
    outcomes:
      outcomes === null
        ? null
        : Object.entries(outcomes).map(([id, status]) => ({ id, status, message: null, durationMs: null })),
  });
  const hidden = 'test/new.test.js > works';

  it('tells tests that it turns from those that pass anyway, and leaves out what was broken before', () => {
    const before = run({
      'test/new.test.js > test/new.test.js': 'failed',
      'old.js > a': 'passed',
      'old.js > flaky': 'failed',
    });
    const after = run({ [hidden]: 'passed', 'old.js > a': 'passed', 'old.js > flaky': 'failed' });
    expect(expectedTests(before, after, aTask(), [])).toEqual({ failToPass: [hidden], passToPass: ['old.js > a'] });
  });

  it.each([
    ['a hidden test fails', run({}), run({ [hidden]: 'failed' }), /works/],
    [
      'it breaks a test',
      run({ 'old.js > a': 'passed' }),
      run({ [hidden]: 'passed', 'old.js > a': 'failed' }),
      /old.js > a/,
    ],
    ['a test is gone', run({ 'old.js > a': 'passed' }), run({ [hidden]: 'passed' }), /old.js > a/],
    ['there is no report', run({}), run(null), /no report/],
  ])('is refused when %s', (_, before, after, message) => {
    expect(() => expectedTests(before, after, aTask(), [])).toThrow(
      expect.objectContaining({ code: 'task.referenceFails', message: expect.stringMatching(message) }),
    );
  });

  it('is refused when nothing was left to do', () => {
    const passes = run({ [hidden]: 'passed' });
    expect(() => expectedTests(passes, passes, aTask(), [])).toThrow(
      expect.objectContaining({ code: 'task.alreadySolved' }),
    );
  });
});

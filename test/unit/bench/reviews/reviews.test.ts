import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Handlers } from '../../../../protocol/api.ts';
import type { reviews } from '../../../../protocol/reviews.ts';
import type { TrialSummary } from '../../../../protocol/runs.ts';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { reviewHandlers } from '../../../../server/bench/reviews/handlers.ts';
import { regradeRun } from '../../../../server/bench/runs/regrade.ts';
import { RunStore } from '../../../../server/bench/runs/runStore.ts';
import { executorsOf } from '../../../../server/executors/index.ts';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { preparedDirectory } from '../../../../server/tasks/places.ts';
import { fakeJudge } from '../../../fakes/judge.ts';
import { startFakeUpstream } from '../../../fakes/upstream.ts';
import { aBench, type Bench, solutionLine } from '../../../integration/benchFixture.ts';
import { memoryExecutor } from '../memoryExecutor.ts';

const signal = new AbortController().signal;
const noSessions = {
  since: async () => [],
  isRecorded: async () => false,
  clean: never,
  startCommit: async () => null,
};

function never(): never {
  throw new Error('No session here.');
}
const report =
  '<testsuites><testcase name="adds" file="/app/test/add.test.js"/><testcase name="takes the middle" file="/app/test/median.test.js"/></testsuites>';

describe('comments on a trial', () => {
  let bench: Bench;
  let trial: TrialSummary;
  let handlers: Handlers<typeof reviews>;
  let judge = '';
  const heard: string[] = [];
  let stop: () => Promise<void>;
  const rubricPath = () => join(preparedDirectory(bench.root), 'median', 'rubric.toml');
  const executor = memoryExecutor({
    agent(files) {
      files.set('src/median.js', Buffer.from(`${solutionLine}\n`));
      files.delete('src/add.js');
      return 0;
    },
    tests: () => ({ report, exitCode: 0, output: 'ran' }),
  });
  const loadTask = (root: string, name: string) => loadPreparedTask(join(preparedDirectory(root), name));
  const add = (changes: object = {}) =>
    handlers.add(
      {
        trialId: trial.id,
        text: 'What of an empty list?',
        side: 'agent',
        file: 'src/median.js',
        line: 1,
        ...changes,
      } as never,
      signal,
    );
  const list = async (open = false) => (await handlers.list({ trialId: trial.id, open }, signal)).rows;

  beforeAll(async () => {
    const upstream = await startFakeUpstream({
      intercept: fakeJudge(({ criterion }) => ({ criterion, verdict: 'unmet', evidence: solutionLine })),
    });
    stop = () => upstream.dispose();
    bench = await aBench({
      executors: () => [executor],
      task: { command: 'run-the-tests' },
      overrides: [{ host: 'api.openai.com', target: upstream.origin }],
    });
    bench.bus.subscribe(({ method }) => void (method.startsWith('coach/reviews/') && heard.push(method)));
    handlers = reviewHandlers({
      store: bench.store,
      bus: bench.bus,
      clock: systemClock,
      sessions: noSessions,
      loadTask,
      judge: () => ({ judge, votes: 3 }),
    });
    const runId = await bench.run([{ id: 'command', command: ['agent'] }]);
    await bench.service.finished(runId);
    const [only] = bench.store.trials(runId);
    if (only === undefined) throw new Error('No trial.');
    trial = only;
  });
  afterEach(() => {
    for (const { id } of bench.store.reviews.ofTrial(trial.id)) bench.store.reviews.remove(id);
    rmSync(rubricPath(), { force: true });
    heard.length = 0;
  });
  afterAll(async () => {
    await bench.dispose();
    await stop();
  });

  it('stay with the trial: place, side, words and whether they are settled, for every reader of the database', async () => {
    const comment = await add();
    expect(comment).toMatchObject({
      ...{ trialId: trial.id, file: 'src/median.js', line: 1, endLine: 1, side: 'agent', resolved: false },
      ...{ text: 'What of an empty list?', replyTo: null, criterion: null },
    });
    const other = new RunStore(join(bench.home, 'coach.sqlite3'), systemClock);
    expect(other.reviews.ofTrial(trial.id)).toEqual([comment]);
    other.dispose();
    expect(heard).toEqual(['coach/reviews/changed']);
  });

  it('are about a change that is there with its hunks, and what accepting it would do', async () => {
    const { files } = await handlers.changes({ trialId: trial.id, side: 'agent' }, signal);
    expect(files.map(({ path, status, hunks }) => [path, status, hunks])).toEqual([
      ['src/add.js', 'deleted', []],
      ['src/median.js', 'added', []],
    ]);
    const reference = await handlers.changes({ trialId: trial.id, side: 'reference' }, signal);
    expect(reference.files.map(({ path }) => path)).toEqual(['src/median.js']);
    const accepted = files.map(({ path }) => ({ path, hunks: null }));
    const merged = await handlers.merge({ trialId: trial.id, accepted }, signal);
    expect(merged.repository).toBe(bench.root);
    expect(merged.files).toMatchObject([
      { path: 'src/add.js', moved: false, action: { kind: 'delete' } },
      { path: 'src/median.js', action: { kind: 'create' } },
    ]);
    const other = { trialId: trial.id, accepted: [{ path: '../outside', hunks: null }] };
    await expect(handlers.merge(other, signal)).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('may be about a whole file, and about what the agent deleted or the reference has', async () => {
    expect(await add({ line: undefined })).toMatchObject({ line: null, endLine: null });
    expect(await add({ side: 'start', file: 'src/add.js' })).toMatchObject({ side: 'start', line: 1 });
    expect(await add({ side: 'reference' })).toMatchObject({ side: 'reference' });
  });

  it.each([
    ['a file that is not there on its side', { file: 'src/add.js' }, 'not there on the side agent'],
    ['a line after the end', { line: 2 }, 'has 1 lines'],
    ['lines that end before they begin', { line: 1, endLine: 0 }, 'has 1 lines'],
    ['no file', { file: undefined }, 'needs a file'],
  ])('are refused on %s', async (_, changes, message) => {
    await expect(add(changes)).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining(message),
    });
    expect(await list()).toEqual([]);
  });

  it('make threads: replies follow, take the place of what they answer, and are settled and removed with it', async () => {
    const second = await add({ side: 'start', file: 'package.json', line: 1, text: 'First by place.' });
    const first = await add();
    const reply = await add({ replyTo: first.id, file: undefined, line: undefined, text: 'It gives undefined.' });
    const further = await add({ replyTo: reply.id, file: undefined, line: undefined, text: 'It must not.' });
    expect(reply).toMatchObject({ replyTo: first.id, file: 'src/median.js', line: 1 });
    expect(further.replyTo).toBe(first.id);
    expect((await list()).map(({ id }) => id)).toEqual([second.id, first.id, reply.id, further.id]);
    expect(await handlers.resolve({ comment: reply.id, reopen: false }, signal)).toMatchObject({
      id: first.id,
      resolved: true,
    });
    expect((await list(true)).map(({ id }) => id)).toEqual([second.id]);
    await handlers.resolve({ comment: first.id, reopen: true }, signal);
    expect(await list(true)).toHaveLength(4);
    expect(await handlers.edit({ comment: reply.id, text: 'Undefined.' }, signal)).toMatchObject({
      text: 'Undefined.',
    });
    expect(await handlers.remove({ comment: first.id }, signal)).toEqual({ removed: 3 });
    expect((await list()).map(({ id }) => id)).toEqual([second.id]);
  });

  it('are looked for by ids that are told apart', async () => {
    await expect(add({ trialId: 'none' })).rejects.toMatchObject({ code: 'trial.missing' });
    await expect(async () => handlers.remove({ comment: 'none' }, signal)).rejects.toMatchObject({
      code: 'comment.missing',
    });
  });

  describe('that become criteria', () => {
    const toCriterion = (comment: string, changes: object = {}) =>
      handlers.toCriterion({ comment, weight: 2, text: undefined, id: undefined, ...changes }, signal);

    it('flip the verdicts of past trials, which nothing else changes', async () => {
      expect(trial.reward).toBe(1);
      const comment = await add();
      const made = await toCriterion(comment.id, { text: 'The median of an empty list is null.' });
      expect(made).toMatchObject({
        criterion: {
          id: 'the-median-of-an-empty-list-is-null',
          text: 'The median of an empty list is null.',
          weight: 2,
        },
        comment: { id: comment.id, criterion: 'the-median-of-an-empty-list-is-null' },
        ...{ task: 'median', file: rubricPath(), judge: null },
      });
      expect((await loadTask(bench.root, 'median')).rubric).toEqual({
        weights: { tests: 0.5, rubric: 0.5, diff: 0 },
        criteria: [made.criterion],
      });
      const rows = await regradeRun(
        bench.service.require(trial.runId),
        { executor: 'auto', rubricOnly: true, judge: 'openai/gpt-5.5' },
        {
          ...{ store: bench.store, executors: executorsOf([executor]), clock: systemClock, log: silentLog },
          ...{ ...bench.judging, loadTask },
        },
        signal,
      );
      expect(rows).toMatchObject([
        { before: 1, after: 0.5, flips: [{ id: made.criterion.id, before: null, after: 'unmet' }] },
      ]);
      expect(bench.store.trial(trial.id)).toEqual(trial);
    });

    it('keep every byte of a rubric that is there', async () => {
      const mine =
        '# Mine.\nformat = 1\nowner = "me"\n[weights]\ntests = 3 # most\nrubric = 1\n\n[[criterion]]\nid = "a"\ntext = "A."';
      writeFileSync(rubricPath(), mine);
      await toCriterion((await add()).id, { id: 'b' });
      const text = readFileSync(rubricPath(), 'utf8');
      expect(text.startsWith(`${mine}\n`)).toBe(true);
      expect((await loadTask(bench.root, 'median')).rubric?.criteria.map(({ id, weight }) => [id, weight])).toEqual([
        ['a', 1],
        ['b', 2],
      ]);
    });

    it('say who judges by them', async () => {
      judge = 'openai/gpt-5.5';
      onTestFinished(() => {
        judge = '';
      });
      expect(await toCriterion((await add()).id)).toMatchObject({ judge: 'openai/gpt-5.5' });
    });

    it('are made once, and never under a name that is taken', async () => {
      const [one, two] = [await add(), await add()];
      await toCriterion(one.id);
      await expect(toCriterion(one.id)).rejects.toMatchObject({ code: 'input.invalid' });
      await expect(toCriterion(two.id)).rejects.toMatchObject({ message: expect.stringContaining('already') });
      expect((await list()).map(({ criterion }) => criterion)).toEqual(['what-of-an-empty-list', null]);
    });
  });
});

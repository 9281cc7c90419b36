import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../../../server/base/clock.ts';
import { silentLog } from '../../../../server/base/log.ts';
import { judgeDeps } from '../../../../server/bench/trials/runTrial.ts';
import { validateTask } from '../../../../server/bench/validate.ts';
import { executorsOf } from '../../../../server/executors/index.ts';
import { proofText } from '../../../../server/surfaces/cli/renderProof.ts';
import { isProven, loadPreparedTask } from '../../../../server/tasks/format.ts';
import { preparedDirectory } from '../../../../server/tasks/places.ts';
import { fakeJudge, type Judgement } from '../../../fakes/judge.ts';
import { type FakeUpstream, startFakeUpstream } from '../../../fakes/upstream.ts';
import { aBench, type Bench } from '../../../integration/benchFixture.ts';
import { memoryExecutor } from '../memoryExecutor.ts';

const signal = new AbortController().signal;
const model = 'openai/gpt-5.5';
const evidence = 'exports.median = list';
const rubric =
  'format = 1\n[weights]\nrubric = 1\n[[criterion]]\nid = "named"\ntext = "The function is called median."\n[[criterion]]\nid = "short"\ntext = "It is one line."\nweight = 2\n';

/** Finds what was asked for in the reference, and in nothing else. */
const fair: Judgement = ({ criterion, prompt }) =>
  prompt.includes(evidence) ? { criterion, verdict: 'met', evidence } : { criterion, verdict: 'unmet', evidence: '' };

describe('the proof of a task that only a rubric judges', () => {
  let bench: Bench;
  let upstream: FakeUpstream;
  afterEach(() => bench.dispose());

  const directory = () => join(preparedDirectory(bench.root), 'median');
  const recording = () => join(directory(), 'solution', 'judge.json');
  const start = async (judgement: Judgement) => {
    upstream = await startFakeUpstream({ intercept: fakeJudge(judgement) });
    onTestFinished(() => upstream.dispose());
    bench = await aBench({
      executors: () => [],
      overrides: [{ host: 'api.openai.com', target: upstream.origin }],
      keys: () => ({ OPENAI_API_KEY: 'sk-openai-judge-key-0123456789' }),
    });
    const toml = readFileSync(join(directory(), 'task.toml'), 'utf8');
    writeFileSync(
      join(directory(), 'task.toml'),
      toml
        .replaceAll(/^(?:test_command|result_format|result_file) = .*\n/gm, '')
        .replace('format = 1\n', 'format = 1\nverifier = "rubric"\nkind = "documentation"\n'),
    );
    writeFileSync(join(directory(), 'rubric.toml'), rubric);
  };
  const validate = async (judge: string, keys = bench.judging.keys(bench.root)) => {
    const executor = memoryExecutor({ tests: () => ({ report: null, exitCode: 1, output: '' }) });
    const asked = {
      settings: { judge, votes: 3 },
      deps: judgeDeps({ ...bench.judging, keys, pauseMs: 10 }),
    };
    const deps = { executors: executorsOf([executor]), proofs: bench.store, clock: systemClock, log: silentLog };
    return validateTask(
      await loadPreparedTask(directory()),
      { executor: 'auto', repeats: 1, judge: asked },
      deps,
      signal,
    );
  };
  const proofNow = async () => (await loadPreparedTask(directory())).proof;

  it('asks the judge about the reference and about a change that has nothing to do with it', async () => {
    await start(fair);
    const proof = await validate(model);
    expect(proof).toMatchObject({ reference: 1, noOp: 0, basis: 'rubric', judge: { name: model, votes: 3 } });
    expect(proof.checks.map(({ id, reward, passed }) => [id, reward, passed])).toEqual([
      ['rubric', null, true],
      ['applies', null, true],
      ['judged-reference', 1, true],
      ['unrelated-change', 0, true],
    ]);
    expect(proof.checks[2]?.detail).toBe(`${model}: 2 of 2 criteria met, 3 votes each, agreement 1.00, unpriced`);
    // Two criteria, three votes, two changes: of nothing nobody is asked.
    expect(upstream.requests).toHaveLength(12);
    expect(await proofNow()).toEqual(proof);
    expect(isProven(proof)).toBe(true);
    expect(proofText(proof)).toContain('Weaker proof: a model judges by the rubric, and nothing that runs decides.');
    expect(proofText(proof)).not.toContain('Stronger');
  });

  it('can be made again from its recorded answers, offline', async () => {
    await start(fair);
    const { checks } = await validate(model);
    await upstream.dispose();
    const again = await validate(`replay:${recording()}`, {});
    expect(again).toMatchObject({ reference: 1, noOp: 0, judge: { name: `replay:${recording()}` } });
    expect(again.checks.map(({ id, reward }) => [id, reward])).toEqual(checks.map(({ id, reward }) => [id, reward]));
  });

  it('is content with a recording that knows the reference alone, and gives no verdict by one of another change', async () => {
    await start(fair);
    await validate(model);
    const whole = JSON.parse(readFileSync(recording(), 'utf8'));
    const met = whole.answers.filter(({ text }: { text: string }) => text.includes('"met"'));
    writeFileSync(join(bench.home, 'judge.json'), JSON.stringify({ ...whole, answers: met }));
    const place = `replay:${join(bench.home, 'judge.json')}`;
    const proof = await validate(place, {});
    expect(proof.checks.map(({ id }) => id)).toEqual(['rubric', 'applies', 'judged-reference']);
    writeFileSync(join(directory(), 'instruction.md'), 'Something else.\n');
    await expect(validate(place, {})).rejects.toMatchObject({ code: 'replay.mismatch' });
    expect(await proofNow()).toBeNull();
  });

  it('is refused where the reference does not meet a criterion, which is named', async () => {
    await start(question =>
      question.criterion === 'short' ? { ...Object(fair(question)), verdict: 'unmet' } : fair(question),
    );
    await expect(validate(model)).rejects.toMatchObject({
      code: 'task.referenceFails',
      message: expect.stringContaining(
        '1 of 2 criteria met by the reference solution of median. short: It is one line.',
      ),
    });
    expect(await proofNow()).toBeNull();
  });

  it('is refused where the judge finds everything met, whatever was done', async () => {
    await start(({ criterion, prompt }) => {
      const line = /^\+(\S.*)$/m.exec(prompt)?.[1] ?? '';
      return { criterion, verdict: 'met', evidence: line };
    });
    await expect(validate(model)).rejects.toMatchObject({
      code: 'task.cheatable',
      message: "The rubric of median can't be trusted: a change that has nothing to do with the task earns 1.",
    });
    expect(isProven(await proofNow())).toBe(false);
  });

  it('is no proof and no score where the judge can’t be asked', async () => {
    await start(fair);
    await expect(validate(model, {})).rejects.toMatchObject({ code: 'agent.noKey' });
    expect(await proofNow()).toBeNull();
  });

  it('is no proof and no score where the judge does not answer what was asked', async () => {
    await start(() => 'I would rather not say.');
    await expect(validate(model)).rejects.toMatchObject({ code: 'judge.failed' });
    expect(await proofNow()).toBeNull();
  });

  it('stays as it is without a judge, and says what would make it stronger', async () => {
    await start(fair);
    const proof = await validate('none');
    expect(proof).toMatchObject({ reference: null, noOp: null, basis: 'rubric' });
    expect(proof).not.toHaveProperty('judge');
    expect(upstream.requests).toEqual([]);
    expect(isProven(proof)).toBe(true);
    expect(proofText(proof)).toContain('No judge was asked. Stronger: validate it with --judge <provider>/<model>.');
  });

  it('loses what the judge said, and nothing else, when the rubric changes', async () => {
    await start(fair);
    await validate(model);
    writeFileSync(join(directory(), 'rubric.toml'), rubric.replace('one line', 'two lines'));
    const proof = await proofNow();
    expect(proof).toMatchObject({ reference: null, noOp: null, basis: 'rubric' });
    expect(proof?.judge).toBeUndefined();
    expect(proof?.checks.map(({ id }) => id)).toEqual(['rubric', 'applies']);
    rmSync(join(directory(), 'rubric.toml'));
    expect((await proofNow())?.judge).toBeUndefined();
  });
});

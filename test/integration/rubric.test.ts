import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ReviewComment } from '../../protocol/reviews.ts';
import type { Regrade, TrialSummary } from '../../protocol/runs.ts';
import { fakeJudge } from '../fakes/judge.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld } from '../world.ts';
import { solutionLine, writePreparedTask, writeRepository } from './benchFixture.ts';

const rubric = `format = 1
[weights]
tests = 0.6
rubric = 0.4
[[criterion]]
id = "named"
text = "The function is called median."
`;

/** Finds a name that is there, and no comment. */
const judged = fakeJudge(({ criterion }) =>
  criterion === 'named'
    ? { criterion, verdict: 'met', evidence: 'exports.median = list' }
    : { criterion, verdict: 'unmet', evidence: '' },
);

describe.skipIf(!requireFeature('sandbox'))('a rubric, from the command line', () => {
  const setUp = async (intercept = judged) => {
    const upstream = await startFakeUpstream({ intercept });
    onTestFinished(() => upstream.dispose());
    const key = 'sk-rubric-key-0123456789abcdef';
    const upstreams = `api.openai.com=${upstream.origin}`;
    const world = aWorld({ OPENAI_API_KEY: key, COACH_UPSTREAMS: upstreams, COACH_JUDGE: 'openai/gpt-5.5' });
    const root = join(temporaryDirectory(), 'repository');
    writeRepository(root);
    writeFileSync(join(root, '.coach', 'tasks', 'prepared', 'median', 'rubric.toml'), rubric);
    const cli = async <T = string>(...args: string[]): Promise<T> => {
      const { code, stdout, stderr } = await world.cli(args, { cwd: root });
      if (code !== 0) throw new Error(`${args.join(' ')}: ${code}\n${stdout}\n${stderr}`);
      return (args.includes('--json') ? JSON.parse(stdout) : stdout) as T;
    };
    return { upstream, world, root, cli, key };
  };
  const run = ['run', 'median', '--agent', 'oracle', '--unproven', '--executor', 'local', '--yes'];

  it('scores a run; a comment on it becomes a criterion, and the verdict flips without an agent', async () => {
    const { upstream, cli, world, key, root } = await setUp();
    expect(await cli(...run, '--dry-run')).toContain('Judge openai/gpt-5.5: 3 questions, unknown.');
    const { trials } = await cli<{ trials: TrialSummary[] }>(...run, '--json');
    const [trial] = trials;
    expect(trial).toMatchObject({
      end: 'verified',
      reward: 1,
      score: { tests: 1, rubric: { share: 1, agreement: 1 } },
    });
    expect(upstream.requests.filter(({ headers }) => headers.authorization === `Bearer ${key}`)).toHaveLength(3);
    const id = trial?.id ?? '';
    const runId = trial?.runId ?? '';
    expect(await cli('runs', 'show', runId)).toContain('met  named, agreement 1.00: “exports.median = list”');

    const place = ['--file', 'src/median.js', '--line', '1'];
    const made = await cli<ReviewComment>('review', 'comment', 'add', id, 'Say what it does.', ...place, '--json');
    expect(await cli('review', 'comment', 'list', id)).toContain(`src/median.js:1  ${made.id}\n  Say what it does.`);
    const words = ['--text', 'The function has a comment.', '--weight', '3'];
    expect(await cli('review', 'comment', 'to-criterion', made.id, ...words)).toContain(
      `codex-coach runs regrade ${runId} --rubric-only`,
    );
    const flips = await cli('runs', 'regrade', runId, '--rubric-only');
    expect(flips).toContain('the-function-has-a-comment: not judged → unmet');
    expect(flips).toContain('1 of 1 verdicts flip.');
    const { rows } = await cli<{ rows: Regrade[] }>('runs', 'regrade', runId, '--executor', 'local', '--json');
    // Tests 1, rubric 1 of 4.
    expect(rows[0]).toMatchObject({ before: 1, error: null });
    expect(rows[0]?.after).toBeCloseTo(0.6 + 0.4 / 4);
    await cli('review', 'comment', 'resolve', made.id);
    expect(await cli('review', 'comment', 'list', id, '--open')).toContain('No comments.');

    const report = readFileSync((await cli('runs', 'report', runId)).trim(), 'utf8');
    expect(report).toContain('The function is called median.');
    expect(report).toContain('the reward weighs tests 0.6, rubric 0.4');
    const database = new Database(join(world.paths.home, 'coach.sqlite3'), { readonly: true });
    const kept = database.prepare("SELECT comment_json ->> '$.criterion' AS criterion FROM review_comments").all();
    database.close();
    expect(kept).toEqual([{ criterion: 'the-function-has-a-comment' }]);
    expect(readFileSync(join(root, '.coach', 'tasks', 'prepared', 'median', 'rubric.toml'), 'utf8')).toContain(rubric);
  }, 120_000);

  it('is asked about for the proof of a task without tests, and again from what was answered', async () => {
    const evidence = 'exports.median = list';
    const fair = fakeJudge(({ criterion, prompt }) =>
      prompt.includes(evidence)
        ? { criterion, verdict: 'met', evidence }
        : { criterion, verdict: 'unmet', evidence: '' },
    );
    const { upstream, cli, root } = await setUp(fair);
    const file = join(root, '.coach', 'tasks', 'prepared', 'median', 'task.toml');
    const toml = readFileSync(file, 'utf8').replaceAll(/^(?:test_command|result_format|result_file) = .*\n/gm, '');
    writeFileSync(file, toml.replace('format = 1\n', 'format = 1\nverifier = "rubric"\nkind = "documentation"\n'));
    const validate = ['task', 'validate', 'median', '--executor', 'local'];
    const unasked = await cli(...validate, '--judge', 'none');
    expect(unasked).toContain('median is proven.');
    expect(unasked).toContain('No judge was asked. Stronger: validate it with --judge');
    expect(upstream.requests).toEqual([]);
    const asked = await cli(...validate);
    expect(asked).toMatch(
      /^ok +the reference solution, by the judge +1\S* .*openai\/gpt-5\.5: 1 of 1 criteria met, 3 votes each/m,
    );
    expect(asked).toContain('Weaker proof: a model judges by the rubric');
    expect(upstream.requests).toHaveLength(6);
    await upstream.dispose();
    const place = 'replay:.coach/tasks/prepared/median/solution/judge.json';
    const again = await cli<{ state: string; proof: object }>(...validate, '--judge', place, '--json');
    expect(again).toMatchObject({ state: 'proven', proof: { reference: 1, noOp: 0, basis: 'rubric' } });
  }, 120_000);

  it('is judged offline by what was recorded, and a changed task finds nothing recorded', async () => {
    const { upstream, cli, root, world } = await setUp();
    const { trials } = await cli<{ trials: TrialSummary[] }>(...run, '--json');
    const answers = join(trials[0]?.directory ?? '', 'verifier', 'judge.json');
    await upstream.dispose();
    const again = await cli<{ trials: TrialSummary[] }>(...run, '--judge', `replay:${answers}`, '--json');
    expect(again.trials[0]).toMatchObject({
      end: 'verified',
      reward: 1,
      score: { rubric: { cost: { kind: 'replay' } } },
    });
    const other = solutionLine.replace('list =>', 'values =>').replace('list.', 'values.');
    writePreparedTask(root, 'median', {
      solution: `diff --git a/src/median.js b/src/median.js\nnew file mode 100644\n--- /dev/null\n+++ b/src/median.js\n@@ -0,0 +1 @@\n+${other}\n`,
    });
    const { code, stdout } = await world.cli([...run, '--judge', `replay:${answers}`, '--json'], { cwd: root });
    expect(code).toBe(3);
    expect(JSON.parse(stdout).trials[0]).toMatchObject({
      end: 'errored',
      reward: null,
      error: { code: 'replay.mismatch' },
    });
  }, 120_000);
});

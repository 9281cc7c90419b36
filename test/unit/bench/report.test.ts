import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toCtrf, toHarborJob, toHarborTrial } from '../../../server/bench/harbor.ts';
import { writeReport } from '../../../server/bench/report.ts';
import { toHtml } from '../../../server/bench/reportHtml.ts';
import { toReport } from '../../../server/bench/reportModel.ts';
import { aRun, aTrial } from '../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../integration/executorsFixture.ts';

const choice = (id: string, replay: string | null = null) => ({ id, model: null, label: null, command: null, replay });
const usage = { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 234, reasoningTokens: 0 };
const done = { phase: 'done', end: 'verified', agentMs: 4000 } as const;
const trials = [
  aTrial({
    id: '1',
    ...done,
    reward: 1,
    usage,
    cost: { amountUsd: null, kind: 'replay' },
    agent: choice('codex', 'r.json'),
  }),
  aTrial({ id: '2', ...done, reward: 1, agent: choice('oracle'), agentLabel: 'oracle' }),
  aTrial({ id: '3', ...done, reward: 0, agent: choice('nop'), agentLabel: 'nop' }),
  aTrial({
    id: '4',
    ...done,
    end: 'errored',
    reward: null,
    attempt: 2,
    usage,
    cost: { amountUsd: null, kind: 'replay' },
    agent: choice('codex', 'r.json'),
    error: { code: 'docker.failed', message: '<script>alert(1)</script>', hint: 'Look.' },
  }),
];
const run = aRun({ state: 'finished', notIsolated: ['The kernel is shared & so on.'] });

describe('the report of a run', () => {
  it('says in three sentences what it comes to', () => {
    expect(toReport(run, trials).summary).toEqual([
      'codex reached a mean reward of 1.00 over 1 trial of 1 task.',
      'The reference solution scored 1.00 and changing nothing scored 0.00, as it must be.',
      '3 of 4 trials reached a verdict; replayed answers show that the way works, not how good a model is.',
    ]);
  });

  it('warns when the controls do not come out as they must', () => {
    const unsound = trials.map(trial => (trial.agentLabel === 'nop' ? { ...trial, reward: 1 } : trial));
    expect(toReport(run, unsound).summary[1]).toContain('not sound');
  });

  it('keeps trials without a verdict out of the mean, and names their errors', () => {
    const report = toReport(run, trials);
    const codex = report.agents.find(agent => agent.label === 'codex');
    expect(codex).toMatchObject({
      meanReward: 1,
      verdicts: 1,
      trials: 2,
      tokensPerTrial: 1234,
      failures: { errored: 1 },
    });
    expect(report.errors).toHaveLength(1);
    expect(report.agents.map(agent => agent.label)).toEqual(['codex', 'oracle', 'nop']);
  });

  it('is one page that loads and runs nothing, with everything escaped', () => {
    const html = toHtml(toReport(run, trials), '0.1.0');
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|https?:/);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('The kernel is shared &amp; so on.');
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('prefers-color-scheme:dark');
    expect(html).toContain('size:A4');
    expect(html).toMatch(/<td class="num">1,234<\/td>\s*<td class="num">–<\/td>/);
  });

  describe('on disk', () => {
    let directory: ReturnType<typeof temporaryDirectory>;
    beforeEach(() => {
      directory = temporaryDirectory('report');
    });
    afterEach(() => directory.dispose());

    it('has the same figures as JSON beside it', async () => {
      const file = await writeReport({ ...run, directory: directory.path }, trials);
      expect(readFileSync(file, 'utf8')).toContain('<!doctype html>');
      const json = JSON.parse(readFileSync(file.replace('.html', '.json'), 'utf8'));
      expect(json.agents[0]).toMatchObject({ label: 'codex', meanReward: 1 });
    });
  });
});

describe('the files for Harbor', () => {
  it('tell a reward, or what went wrong', () => {
    const trial = { ...aTrial(), ...trials[0], startedAt: '2026-01-01T00:00:00.000Z', buildMs: 1000 };
    expect(toHarborTrial(trial)).toMatchObject({
      verifier_result: { rewards: { reward: 1 } },
      exception_info: null,
      environment_setup: { started_at: '2026-01-01T00:00:00.000Z', finished_at: '2026-01-01T00:00:01.000Z' },
      agent_execution: { started_at: '2026-01-01T00:00:01.000Z', finished_at: '2026-01-01T00:00:05.000Z' },
      verifier: null,
      agent_result: { n_input_tokens: 1000, n_output_tokens: 234 },
    });
    expect(toHarborTrial({ ...aTrial(), ...trials[3] })).toMatchObject({
      verifier_result: null,
      exception_info: { exception_type: 'docker.failed' },
    });
  });

  it('sum up a run by agent', () => {
    expect(toHarborJob(run, trials, 'now')).toMatchObject({
      n_total_trials: 4,
      stats: {
        evals: {
          codex__adhoc: { n_trials: 2, n_errors: 1, metrics: [{ mean: 1 }], reward_stats: { reward: { '1': ['1'] } } },
        },
      },
    });
  });

  it('list tests in CTRF', () => {
    const outcomes = [{ id: 'a', status: 'failed', message: 'no', durationMs: 5 }] as const;
    expect(toCtrf(outcomes)).toMatchObject({
      results: {
        summary: { tests: 1, failed: 1 },
        tests: [{ name: 'a', status: 'failed', duration: 5, message: 'no' }],
      },
    });
  });
});

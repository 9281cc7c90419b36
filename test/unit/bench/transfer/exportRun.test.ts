import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../../../protocol/runs.ts';
import { exportRun } from '../../../../server/bench/transfer/exportRun.ts';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { aRun, aTrial } from '../../../fakes/scriptedRun.ts';
import { aDirectory, write } from '../../git/aRepository.ts';
import { aPreparedTask } from '../../tasks/aTask.ts';
import {
  strictJobResult,
  strictManifest,
  strictTrialConfig,
  strictTrialResult,
} from '../../tasks/transfer/strictHarbor.ts';

const json = (...path: string[]) => JSON.parse(readFileSync(join(...path), 'utf8'));
const patch = 'diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-1\n+2\n';

/** A trial with the files that its end leaves behind. */
function aDoneTrial(over: Partial<TrialSummary>): TrialSummary {
  const directory = join(aDirectory('coach-trial'), 'add-median__codex__1');
  const trial = aTrial({
    phase: 'done',
    end: 'verified',
    reward: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    buildMs: 1000,
    agentMs: 2000,
    verifyMs: 500,
    tests: [
      { id: 't > new', expected: 'failToPass', status: 'passed', message: null },
      { id: 't > old', expected: 'passToPass', status: 'passed', message: null },
    ],
    ...over,
    directory,
  });
  write(directory, {
    'diff.patch': patch,
    'agent/trajectory.json': '{"schema_version":"ATIF-v1.7"}\n',
    'verifier/ctrf.json': '{}\n',
    'verifier/test-stdout.txt': 'ok\n',
  });
  return trial;
}

const trials = [
  aDoneTrial({ attempt: 1 }),
  aDoneTrial({
    attempt: 2,
    reward: 0,
    tests: [{ id: 't > new', expected: 'failToPass', status: 'failed', message: null }],
  }),
  aDoneTrial({
    attempt: 3,
    id: 'run-1.add-median.codex.3',
    end: 'errored',
    reward: null,
    tests: [],
    error: { code: 'docker.failed', message: 'The engine is gone.', hint: null },
  }),
];
const run = aRun({
  state: 'finished',
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:03:00.000Z',
  attempts: 3,
});

describe('a run exported as a Harbor job', () => {
  it('passes a strict reader, and has every part of each trial', async () => {
    const { prepared } = await aPreparedTask();
    const output = join(aDirectory(), 'job');
    await exportRun({ run, trials, taskOf: () => loadPreparedTask(prepared.directory) }, 'harbor', output);
    const job = strictJobResult.parse(json(output, 'result.json'));
    expect(job.stats.evals['codex__adhoc']).toMatchObject({
      n_trials: 3,
      n_errors: 1,
      metrics: [{ mean: 0.5 }],
      // One of three solved: the third, without a verdict, counts as a failure there.
      pass_at_k: { '2': expect.closeTo(2 / 3, 10) },
    });
    expect(json(output, 'lock.json')).toMatchObject({ schema_version: 3, trials: [{}, {}, {}] });
    expect(existsSync(join(output, 'config.json')) && existsSync(join(output, 'job.log'))).toBe(true);
    const names = readdirSync(output, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name);
    expect(names).toHaveLength(3);
    for (const name of names) {
      expect(name).toMatch(/^add-median__[0-9a-f]{7}$/);
      const result = strictTrialResult.parse(json(output, name, 'result.json'));
      expect(result).toMatchObject({ trial_name: name, task_checksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(strictTrialConfig.parse(json(output, name, 'config.json'))).toEqual(result.config);
      expect(json(output, name, 'lock.json').task.digest).toBe(`sha256:${result.task_checksum}`);
      expect(strictManifest.parse(json(output, name, 'artifacts/manifest.json'))).toMatchObject([{ status: 'ok' }]);
      expect(readFileSync(join(output, name, 'artifacts/diff.patch'), 'utf8')).toBe(patch);
      expect(json(output, name, 'agent/trajectory.json').schema_version).toBe('ATIF-v1.7');
      const hasReward = existsSync(join(output, name, 'verifier/reward.txt'));
      expect(hasReward).toBe(result.verifier_result !== null);
      expect(existsSync(join(output, name, 'exception.txt'))).toBe(result.exception_info !== null);
    }
  });

  it('is not written where something lies, nor before a trial is over', async () => {
    const exported = { run, trials, taskOf: async () => null };
    await expect(exportRun(exported, 'harbor', aDirectory())).rejects.toMatchObject({ code: 'input.invalid' });
    const output = join(aDirectory(), 'job');
    await expect(exportRun({ ...exported, trials: [] }, 'harbor', output)).rejects.toThrow(/No trial/);
    expect(existsSync(output)).toBe(false);
  });
});

describe('a run exported for SWE-bench', () => {
  it('has predictions, logs and a report per attempt, and tells faults of the machine apart', async () => {
    const output = join(aDirectory(), 'swe');
    await exportRun({ run, trials, taskOf: async () => null }, 'swe-bench', output);
    const id = 'local__add-median-1';
    const prediction = json(output, 'predictions.codex__gpt-5.5.run-1-1.jsonl');
    expect(prediction).toEqual({ instance_id: id, model_name_or_path: 'codex/gpt-5.5', model_patch: patch });
    expect(json(output, 'codex__gpt-5.5.run-1-1.json')).toMatchObject({
      schema_version: 2,
      resolved_instances: 1,
      resolved_ids: [id],
      unresolved_ids: [],
    });
    expect(json(output, 'codex__gpt-5.5.run-1-3.json')).toMatchObject({
      completed_instances: 0,
      infra_failure_ids: [id],
      error_ids: [id],
      failure_reasons: { [id]: 'The engine is gone.' },
    });
    const place = join(output, 'logs/run_evaluation/run-1-2/codex__gpt-5.5', id);
    expect(json(place, 'report.json')[id]).toMatchObject({
      resolved: false,
      infra_failure: false,
      tests_status: { FAIL_TO_PASS: { success: [], failure: ['t > new'] } },
    });
    expect(readFileSync(join(place, 'patch.diff'), 'utf8')).toBe(patch);
  });

  it('says of an imported instance what its script said, but for the tests that a counterproof voided', async () => {
    const directory = aDirectory();
    const passed = ['new', 'old'].map(name => ({
      ...{ name: `t.py::${name}`, status: 'passed', duration: 0 },
      suite: name === 'new' ? 'fail_to_pass' : 'pass_to_pass',
    }));
    write(directory, { 'verifier/ctrf.json': JSON.stringify({ results: { tests: passed } }) });
    const output = join(aDirectory(), 'swe');
    const voided = { id: 'fail_to_pass > t.py::new', expected: 'failToPass', status: 'failed', message: null } as const;
    const [first] = trials;
    if (first === undefined) throw new Error('No trial.');
    const trial = { ...first, directory, reward: 0, tests: [voided] };
    await exportRun({ run, trials: [trial], taskOf: async () => null }, 'swe-bench', output);
    const id = 'local__add-median-1';
    const place = join(output, 'logs/run_evaluation/run-1-1/codex__gpt-5.5', id);
    expect(json(place, 'report.json')[id].tests_status).toMatchObject({
      FAIL_TO_PASS: { success: [], failure: ['t.py::new'] },
      PASS_TO_PASS: { success: ['t.py::old'], failure: [] },
    });
  });
});

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { instanceIdOf } from '../../tasks/transfer/exportTask.ts';
import { failToPassSuite } from '../../tasks/transfer/swebench.ts';
import { ownInstanceId } from '../../tasks/transfer/sweExport.ts';
import { toJson } from '../trials/trialFiles.ts';
import type { ExportedRun } from './exportedRun.ts';

interface Evaluated {
  readonly trial: TrialSummary;
  readonly instanceId: string;
  readonly model: string;
  /** One evaluation of SWE-bench has one try per instance, so each attempt is a run of its own. */
  readonly runId: string;
  readonly patch: string;
}

/**
 * Writes a run as SWE-bench does: `predictions.<model>.<run>.jsonl`, `logs/run_evaluation/…` and the report of each model
 * and attempt (schema version 2).
 */
export async function writeSweEvaluation({ run, trials, taskOf }: ExportedRun, directory: string): Promise<void> {
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  };
  const evaluated: Evaluated[] = [];
  for (const trial of trials) {
    const task = await taskOf(trial);
    const patch = await readFile(join(trial.directory, 'diff.patch'), 'utf8').catch(() => '');
    evaluated.push({
      trial,
      instanceId: task === null ? ownInstanceId(trial.task) : await instanceIdOf(task),
      model: trial.agent.model === null ? trial.agentLabel : `${trial.agentLabel}/${trial.agent.model}`,
      runId: `${run.id}-${trial.attempt}`,
      patch,
    });
  }
  for (const one of evaluated) {
    const place = `logs/run_evaluation/${one.runId}/${fileName(one.model)}/${one.instanceId}`;
    const output = await readFile(join(one.trial.directory, 'verifier', 'test-stdout.txt')).catch(() =>
      Buffer.alloc(0),
    );
    await put(`${place}/report.json`, toJson({ [one.instanceId]: await toInstanceReport(one) }));
    await put(`${place}/patch.diff`, one.patch);
    await put(`${place}/test_output.txt`, output);
  }
  const groups = Object.values(Object.groupBy(evaluated, one => `${fileName(one.model)}.${one.runId}`));
  for (const group of groups) await writeGroup(run, group ?? [], put);
}

async function writeGroup(
  run: RunSummary,
  group: readonly Evaluated[],
  put: (path: string, content: string) => Promise<void>,
): Promise<void> {
  const [first] = group;
  if (first === undefined) return;
  const name = `${fileName(first.model)}.${first.runId}`;
  const lines = group.map(({ instanceId, model, patch }) =>
    JSON.stringify({ instance_id: instanceId, model_name_or_path: model, model_patch: patch }),
  );
  await put(`predictions.${name}.jsonl`, `${lines.join('\n')}\n`);
  await put(`${name}.json`, toJson(toRunReport(run.tasks.length, group)));
}

/** Counts and ids; a fault of the machine is none of the model, and is told apart. */
function toRunReport(total: number, group: readonly Evaluated[]): object {
  const idsOf = (matches: (one: Evaluated) => boolean) =>
    group
      .filter(matches)
      .map(one => one.instanceId)
      .sort();
  const lists = {
    submitted: idsOf(() => true),
    completed: idsOf(({ trial }) => trial.reward !== null),
    resolved: idsOf(({ trial }) => trial.reward === 1),
    unresolved: idsOf(({ trial }) => trial.reward !== null && trial.reward < 1),
    infra_failure: idsOf(({ trial }) => isInfrastructure(trial)),
    ambiguous_failure: [] as string[],
    empty_patch: idsOf(({ patch }) => patch === ''),
    error: idsOf(({ trial }) => trial.reward === null),
  };
  return {
    total_instances: total,
    ...Object.fromEntries(Object.entries(lists).map(([name, ids]) => [`${name}_instances`, ids.length])),
    ...Object.fromEntries(Object.entries(lists).map(([name, ids]) => [`${name}_ids`, ids])),
    failure_reasons: Object.fromEntries(
      group.flatMap(({ trial, instanceId }) =>
        isInfrastructure(trial) ? [[instanceId, trial.error?.message ?? trial.end]] : [],
      ),
    ),
    schema_version: 2,
  };
}

async function toInstanceReport({ trial, patch }: Evaluated): Promise<object> {
  const voided = new Set(trial.tests.map(({ id }) => id).filter(id => id.startsWith(scriptId(''))));
  const tests = voided.size < trial.tests.length ? trial.tests : await testsOfScript(trial.directory, voided);
  const idsOf = (kind: string, isPassed: boolean) =>
    tests.filter(test => test.expected === kind && (test.status === 'passed') === isPassed).map(test => test.id);
  const both = (kind: string) => ({ success: idsOf(kind, true), failure: idsOf(kind, false) });
  const infrastructure = isInfrastructure(trial);
  return {
    patch_is_None: false,
    patch_exists: patch !== '',
    patch_successfully_applied: trial.reward !== null,
    resolved: trial.reward === 1,
    infra_failure: infrastructure,
    ...(infrastructure ? { infra_failure_reason: trial.error?.message ?? trial.end } : {}),
    tests_status: {
      FAIL_TO_PASS: both('failToPass'),
      PASS_TO_PASS: both('passToPass'),
      FAIL_TO_FAIL: { success: [], failure: [] },
      PASS_TO_FAIL: { success: [], failure: [] },
    },
  };
}

interface ScriptTest {
  readonly id: string;
  readonly status: string;
  readonly expected: string;
}

/** How a test of an instance's script is called among a trial's tests, where it stands when the counterproof voids it. */
function scriptId(name: string): string {
  return `${failToPassSuite} > ${name}`;
}

/** The judge of an imported instance names the list of each test as its suite. */
async function testsOfScript(directory: string, voided: ReadonlySet<string>): Promise<ScriptTest[]> {
  try {
    const report = JSON.parse(await readFile(join(directory, 'verifier', 'ctrf.json'), 'utf8')) as {
      results: { tests: { name: string; status: string; suite?: string }[] };
    };
    return report.results.tests.map(({ name, status, suite }) => ({
      id: name,
      status: voided.has(scriptId(name)) ? 'failed' : status,
      expected: suite === 'pass_to_pass' ? 'passToPass' : 'failToPass',
    }));
  } catch {
    return [];
  }
}

function isInfrastructure({ end }: TrialSummary): boolean {
  return end === 'errored' || end === 'lost';
}

function fileName(model: string): string {
  return model.replaceAll('/', '__');
}

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { version } from '../../base/version.ts';
import { filesBelow } from '../../tasks/contents.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import {
  type HarborContext,
  toHarborJob,
  toHarborTrial,
  toHarborTrialConfig,
  toHarborTrialName,
  toUuid,
} from '../harbor.ts';
import { toJson } from '../trials/trialFiles.ts';
import type { ExportedRun } from './exportedRun.ts';

/**
 * Writes a run as a job directory of Harbor 0.20: config, lock and result of the job and of each trial, with the trial's
 * trajectory, verifier files, and its diff as an artifact.
 * @param output where the directory will lie in the end, for paths in it
 */
export async function writeHarborJob(exported: ExportedRun, directory: string, output: string): Promise<void> {
  const { run, trials } = exported;
  const put = async (path: string, content: string | Buffer) => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  };
  const locks: object[] = [];
  for (const trial of trials) {
    const task = await exported.taskOf(trial);
    const context: HarborContext = {
      trialName: toHarborTrialName(trial),
      trialsDirectory: output,
      taskChecksum: task === null ? null : await checksumOf(task),
    };
    const lock = toTrialLock(trial, context);
    locks.push(lock);
    const at = (path: string) => `${context.trialName}/${path}`;
    await copyParts(trial, join(directory, context.trialName));
    await put(at('config.json'), toJson(toHarborTrialConfig(trial, context)));
    await put(at('lock.json'), toJson(lock));
    await put(at('trial.log'), `${trial.end ?? trial.phase}\n`);
    if (trial.error !== null) await put(at('exception.txt'), `${trial.error.code}: ${trial.error.message}\n`);
    if (trial.reward !== null) await put(at('verifier/reward.txt'), `${trial.reward}\n`);
    await put(
      at('artifacts/manifest.json'),
      toJson(await artifactsOf(trial, path => put(at(`artifacts/${path.name}`), path.content))),
    );
    await put(at('result.json'), toJson(toHarborTrial(trial, context)));
  }
  await put('config.json', toJson(toJobConfig(run, output)));
  await put('lock.json', toJson(toJobLock(run, locks)));
  await put('job.log', '');
  await put('result.json', toJson(toHarborJob(run, trials, run.finishedAt ?? run.createdAt, toHarborTrialName)));
}

/** The agent's and the verifier's own files. The text of a reward is the one that the verdict says. */
async function copyParts(trial: TrialSummary, to: string): Promise<void> {
  for (const part of ['agent', 'verifier']) {
    await mkdir(join(to, part), { recursive: true });
    await cp(join(trial.directory, part), join(to, part), { recursive: true }).catch(ignoreMissing);
  }
}

async function artifactsOf(
  trial: TrialSummary,
  put: (file: { name: string; content: Buffer }) => Promise<void>,
): Promise<object[]> {
  const content = await readFile(join(trial.directory, 'diff.patch')).catch(() => null);
  const status = content === null ? 'failed' : content.length === 0 ? 'empty' : 'ok';
  if (content !== null) await put({ name: 'diff.patch', content });
  return [{ source: '/logs/artifacts/diff.patch', destination: 'diff.patch', type: 'file', status, service: null }];
}

function toJobConfig(run: RunSummary, output: string): object {
  return {
    job_name: run.id,
    jobs_dir: dirname(output),
    n_attempts: run.attempts,
    timeout_multiplier: 1,
    agents: run.agents.map(agent => ({ name: agent.id, model_name: agent.model })),
    tasks: run.tasks.map(path => ({ path })),
    datasets: [],
  };
}

function toJobLock(run: RunSummary, trials: readonly object[]): object {
  return {
    schema_version: 3,
    created_at: run.createdAt,
    harbor: { version: `codex-coach ${version}`, git_commit_hash: null, is_editable: false },
    n_concurrent_trials: 1,
    retry: { max_retries: 0 },
    trials,
  };
}

function toTrialLock(trial: TrialSummary, { trialName, taskChecksum }: HarborContext): object {
  return {
    schema_version: 2,
    id: toUuid(trial.id),
    trial_name: trialName,
    task: { path: trial.task, digest: taskChecksum === null ? null : `sha256:${taskChecksum}` },
    agent: { name: trial.agent.id, version: trial.agentVersion, model_name: trial.agent.model },
  };
}

/** Over the task's files as they are now, by path and content. */
async function checksumOf({ directory }: PreparedTask): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesBelow(directory)) {
    const content = await readFile(join(directory, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

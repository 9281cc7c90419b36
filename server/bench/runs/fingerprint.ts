import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunLimits } from '../../../protocol/runs.ts';
import { filesBelow } from '../../tasks/contents.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import type { JudgeSettings } from '../rubric/judgeChoice.ts';
import { sandboxLimits } from '../sandboxes.ts';
import type { PlannedAgent } from './plan.ts';

/** A change of what a verdict rests on in our own code makes earlier verdicts others. */
const format = 1;

/** Everything of a task that decides a verdict. The time of its proof does not. */
export async function taskDigest(task: PreparedTask, { judge, votes }: JudgeSettings): Promise<string> {
  const hash = createHash('sha256');
  for (const path of await filesBelow(task.directory)) {
    if (path === 'tests/expected.json') continue;
    const content = await readFile(join(task.directory, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  if (task.rubric !== null) hash.update(JSON.stringify([judge, votes]));
  // Where an environment lies on this machine decides nothing.
  return hash.update(JSON.stringify({ ...task.verifier, own: undefined })).digest('hex');
}

/** What two trials must have in common for the verdict of one to stand for the other's, as SHA-256. */
export function trialFingerprint(
  digest: string,
  { agent, choice }: PlannedAgent,
  limits: RunLimits,
  executor: string,
): string {
  const { timeoutSec, maxTokens, maxUsd = null, idleSec = null } = limits;
  const parts = [
    ...[format, digest, executor, sandboxLimits()],
    ...[agent.id, agent.package?.version ?? null, choice.model ?? agent.defaultModel, choice.command, choice.replay],
    ...[timeoutSec, maxTokens, maxUsd, idleSec],
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

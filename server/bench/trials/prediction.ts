import { readFile } from 'node:fs/promises';
import { CoachError } from '../../../protocol/errors.ts';
import type { AgentChoice } from '../../../protocol/runs.ts';
import type { Sandbox } from '../../executors/executor.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { instanceIdOf } from '../../tasks/transfer/exportTask.ts';
import { parsePredictions } from '../../tasks/transfer/swebench.ts';
import { applyChange } from '../outside.ts';
import type { AgentEnd } from './tries.ts';

/**
 * Applies the patch that a predictions file has for a task. One that does not apply is the prediction's failure, and is
 * judged as no change.
 * @throws CoachError `input.invalid` for a file that can't be read, or has not exactly one patch for the task and model
 */
export async function applyPrediction(
  sandbox: Sandbox,
  { task, choice }: { readonly task: PreparedTask; readonly choice: AgentChoice },
  signal: AbortSignal,
): Promise<AgentEnd> {
  const patch = await predictedPatch(task, choice);
  try {
    await applyChange(sandbox, task, Buffer.from(patch), signal);
    return { kind: 'finished' };
  } catch (error) {
    if (!(error instanceof CoachError) || error.code !== 'sandbox.failed') throw error;
    return { kind: 'agentFailed', exitCode: 1 };
  }
}

async function predictedPatch(task: PreparedTask, { command, model }: AgentChoice): Promise<string> {
  const [file] = command ?? [];
  if (file === undefined) {
    throw new CoachError('input.invalid', 'The agent "predictions" needs a file.', {
      hint: 'Name it with --predictions.',
    });
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new CoachError('input.invalid', `${file} can't be read: ${(cause as Error).message}`, { cause });
  });
  const instanceId = await instanceIdOf(task);
  const found = parsePredictions(text, file).filter(
    one => one.instance_id === instanceId && (model === null || one.model_name_or_path === model),
  );
  const [one] = found;
  if (one !== undefined && found.length === 1) return one.model_patch ?? '';
  throw new CoachError('input.invalid', `${file} has ${found.length} predictions for ${instanceId}.`, {
    hint: 'Of several models, name one: --agent predictions/<model>',
  });
}

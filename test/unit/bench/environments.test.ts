import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { prepareEnvironments } from '../../../server/bench/environments.ts';
import { loadPreparedTask } from '../../../server/tasks/format.ts';
import { aHarborTask, aTaskHouse } from '../tasks/transfer/foreignDirectories.ts';
import { memoryExecutor } from './memoryExecutor.ts';

const signal = new AbortController().signal;
const lasting = () => memoryExecutor({ tests: () => ({ report: null, exitCode: 0, output: '' }) });
const fleeting = () => ({ ...lasting(), id: 'fleeting', title: 'Fleeting', tmpEndsWithCommand: true });

/** A task whose verifier is given this file. */
async function aTask(artifact: string) {
  const toml = `schema_version = "1.4"\nartifacts = ["${artifact}"]\n[task]\nname = "acme/apart"\n`;
  const { task } = await aTaskHouse().importFrom(aHarborTask({ 'task.toml': toml }));
  return loadPreparedTask(join(task.directory));
}

describe('the environments of a run', () => {
  it('are those of a place that keeps /tmp, where a task is judged by what is left there', async () => {
    const task = await aTask('/tmp/answer.txt');
    const { executor } = await prepareEnvironments([task], [fleeting(), lasting()], silentLog, signal);
    expect(executor.id).toBe('memory');
    const alone = await prepareEnvironments([task], [fleeting()], silentLog, signal);
    expect(() => alone.of(task)).toThrow(
      'is judged by /tmp/answer.txt, and sandboxes of Fleeting keep nothing in /tmp.',
    );
  });

  it('may be of any place, where /logs/artifacts is enough', async () => {
    const task = await aTask('/logs/artifacts/answer.txt');
    const { executor, of } = await prepareEnvironments([task], [fleeting(), lasting()], silentLog, signal);
    expect(executor.id).toBe('fleeting');
    expect(of(task)).not.toHaveProperty('verifiers');
  });
});

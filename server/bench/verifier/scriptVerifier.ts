import { CoachError } from '../../../protocol/errors.ts';
import type { Sandbox } from '../../executors/executor.ts';
import type { ScriptVerifier } from '../../tasks/preparedTask.ts';
import { runTimed } from '../timedCommand.ts';
import type { VerifyOutcome } from './verifyOutcome.ts';

const place = '/logs/verifier';
const maxRewardBytes = 1024 * 1024;
const maxCtrfBytes = 16 * 1024 * 1024;

/**
 * Runs a task's own verifier script, which leaves its reward in /logs/verifier. What lies there before is removed;
 * `reward.json` counts before `reward.txt`.
 * @throws CoachError `verifier.failed` for a reward that can't be read
 */
export async function runScript(
  sandbox: Sandbox,
  workdir: string,
  { command, env, timeoutSec }: ScriptVerifier,
  signal: AbortSignal,
): Promise<VerifyOutcome> {
  const clear = ['sh', '-c', 'rm -rf "$1" && mkdir -p "$1" /logs/agent /logs/artifacts', 'sh', place] as const;
  await sandbox.exec({ argv: [...clear], cwd: '/', env: {} }, signal);
  const run = await runTimed(sandbox, { command, cwd: workdir, env, timeoutSec }, signal);
  const none = { ...run, reward: null, format: null, report: null, outcomes: null };
  if (run.timedOut) return none;
  const read = async (name: string, maxBytes: number): Promise<Buffer | null> => {
    const content = await sandbox.readFile(`${place}/${name}`, maxBytes, signal);
    return content !== null && content.length < maxBytes ? content : null;
  };
  const json = await read('reward.json', maxRewardBytes);
  const text = json === null ? await read('reward.txt', maxRewardBytes) : null;
  const ctrf = await read('ctrf.json', maxCtrfBytes);
  const left = Object.entries({ 'reward.json': json, 'reward.txt': text, 'ctrf.json': ctrf });
  const scriptFiles = new Map(left.filter((entry): entry is [string, Buffer] => entry[1] !== null));
  const reward = rewardOf(json, text);
  return { ...none, reward, rewards: { ...namedRewards(json), ...(reward === null ? {} : { reward }) }, scriptFiles };
}

/** All numbers in a `reward.json`, by their names. */
function namedRewards(json: Buffer | null): Record<string, number> {
  const read = json === null ? null : parsed(json.toString());
  if (typeof read !== 'object' || read === null) return {};
  return Object.fromEntries(
    Object.entries(read).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/**
 * The reward in a script's files; null when it wrote none. Of several rewards in `reward.json` the one called `reward` counts.
 * @throws CoachError `verifier.failed`
 */
export function rewardOf(json: Buffer | null, text: Buffer | null): number | null {
  if (json !== null) return requireReward(rewardInJson(json.toString()), `reward.json holds ${clip(json)}`);
  if (text === null || text.toString().trim() === '') return null;
  return requireReward(Number(text.toString().trim()), `reward.txt holds ${clip(text)}`);
}

function rewardInJson(text: string): unknown {
  const rewards = parsed(text);
  if (typeof rewards !== 'object' || rewards === null) return rewards;
  const values = Object.values(rewards);
  return 'reward' in rewards ? rewards.reward : values.length === 1 ? values[0] : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireReward(reward: unknown, found: string): number {
  if (typeof reward === 'number' && reward >= 0 && reward <= 1) return reward;
  throw new CoachError('verifier.failed', `The verifier gave no reward between 0 and 1: ${found}.`, {
    hint: 'reward.json must hold one number, or one called "reward"; reward.txt one number.',
  });
}

function clip(content: Buffer): string {
  return JSON.stringify(content.subarray(0, 200).toString());
}

import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { CoachError } from '../../protocol/errors.ts';
import type { Sandbox, SandboxSpec } from '../executors/executor.ts';
import { copyLimits } from '../executors/places.ts';

/**
 * The same for the agent and for its verifier, in every trial: rewards of different limits can't be compared. A sandbox may
 * take as much of the disk as can be copied out of it to be judged.
 */
export function sandboxLimits(): SandboxSpec['limits'] {
  return {
    memoryBytes: 4 * 1024 ** 3,
    cpus: Math.min(2, availableParallelism()),
    pids: 512,
    diskBytes: copyLimits.sizeBytes,
  };
}

/** Short, since it is part of socket paths; unique, since trial ids are. */
export function sandboxName(trialId: string, role: 'agent' | 'verify' | 'model' | 'out'): string {
  return `coach-${createHash('sha256').update(trialId).digest('hex').slice(0, 12)}-${role}`;
}

/**
 * Applies a patch to the clean start commit in a sandbox.
 * @throws CoachError `sandbox.failed` when it does not apply
 */
export async function applyIn(
  sandbox: Sandbox,
  workdir: string,
  patch: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  if (patch.length === 0) return;
  const argv = ['git', 'apply', '--binary', '--whitespace=nowarn', '-'] as const;
  const { exitCode, stderr } = await sandbox.exec({ argv: [...argv], cwd: workdir, env: {}, stdin: patch }, signal);
  if (exitCode === 0) return;
  throw new CoachError('sandbox.failed', `A patch does not apply in the sandbox: ${stderr.toString().trim()}`, {
    hint: 'The sandbox needs git, and the repository at its start commit.',
  });
}

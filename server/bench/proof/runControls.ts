import { randomBytes } from 'node:crypto';
import type { ProofCheck } from '../../../protocol/tasks.ts';
import type { Clock } from '../../base/clock.ts';
import { diffDirectory } from '../../git/agentDiff.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { gatherOutside } from '../outside.ts';
import { runEach } from '../scheduler.ts';
import { judgeChange } from '../verifier/judgeChange.ts';
import { withCopy, withSandbox } from '../verifier/settleImported.ts';
import type { VerifierDeps } from '../verifier/verify.ts';
import type { Control } from './control.ts';
import { controlsOf } from './controls.ts';
import { digForSolution } from './digger.ts';
import { provingConcurrency } from './repeats.ts';

interface Proving extends VerifierDeps {
  readonly task: PreparedTask;
  readonly clock: Clock;
}

/** What the runs before the controls told. */
interface Seen {
  /** Of the tests on the reference solution; the forgers get it. */
  readonly report: Buffer | null;
  /** The reward of doing nothing: no cheat may earn more. */
  readonly noOp: number;
}

const controlTimeoutMs = 120_000;

/**
 * Lets agents that cheat work on the task, each in a sandbox as any agent gets it, and judges what they leave as any trial
 * is judged; then searches such a sandbox for the solution.
 */
export async function runControls(proving: Proving, seen: Seen, signal: AbortSignal): Promise<ProofCheck[]> {
  const { task, clock } = proving;
  const { verifier } = task;
  const ids = verifier.kind === 'tests' ? [...verifier.failToPass, ...verifier.passToPass] : [];
  const checks: ProofCheck[] = [];
  const works = [
    ...controlsOf({ task, ids }).map(control => () => judgeControl(control, proving, seen, signal)),
    () => dig(proving, signal),
  ];
  await runEach([...works.entries()], provingConcurrency, async ([index, work]) => {
    const startedAt = clock.now();
    checks[index] = { ...(await work()), durationMs: Math.round(clock.now() - startedAt) };
  });
  return checks;
}

type Judged = Omit<ProofCheck, 'durationMs'>;

async function judgeControl(
  { id, does, script }: Control,
  proving: Proving,
  { report, noOp }: Seen,
  signal: AbortSignal,
): Promise<Judged> {
  const { task } = proving;
  const trialId = `prove.${task.name}.${randomBytes(4).toString('hex')}`;
  const patch = await withSandbox(
    { trialId, ...proving },
    async sandbox => {
      const time = AbortSignal.any([signal, AbortSignal.timeout(controlTimeoutMs)]);
      const argv = ['sh', '-c', script] as const;
      await sandbox.exec({ argv: [...argv], cwd: task.workdir, env: {}, stdin: report ?? Buffer.alloc(0) }, time);
      await gatherOutside(sandbox, task, signal);
      return withCopy(sandbox, task, signal, directory => diffDirectory(task.bundle, directory, signal));
    },
    signal,
  );
  const { verdict } = await judgeChange(`${trialId}.judge`, task, patch.patch, proving, signal);
  const { reward, tests } = verdict;
  const passed = tests.filter(test => test.status === 'passed').length;
  const counted = tests.length === 0 ? '' : `${passed} of ${tests.length} tests passed`;
  return { id, title: `an agent that ${does}`, reward, passed: reward <= noOp, detail: counted };
}

async function dig(proving: Proving, signal: AbortSignal): Promise<Judged> {
  const trialId = `prove.${proving.task.name}`;
  const { wanted, found } = await digForSolution({ trialId, ...proving }, signal);
  return {
    ...{ id: 'history-digger', title: 'an agent that digs for the solution', reward: null, passed: found.length === 0 },
    detail:
      found.length === 0
        ? `none of ${wanted} hidden files found in any repository, pack or file`
        : `found ${found.slice(0, 5).join('; ')}`,
  };
}

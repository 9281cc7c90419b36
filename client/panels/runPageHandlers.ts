import type { Handlers } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import type { runPage } from '../../protocol/pages.ts';
import type { TrialSummary } from '../../protocol/runs.ts';
import type { Coach } from '../coach.ts';
import { confirmCancel, openReport } from '../commands/runActions.ts';
import { openJudgeSetting } from '../judge.ts';
import { reviewDiff } from '../review/diff.ts';
import { listArtifacts, openArtifact, readTail } from './artifacts.ts';
import { confirmRegrade, confirmResume } from './repeat.ts';

/** Pages that a run leads to. */
export interface RunLinks {
  openSession(sessionId: string): void;
  compare(runIds: readonly string[]): void;
}

/** What the page of a run asks of the editor. */
export function runPageHandlers(coach: Coach, runId: string, links: RunLinks): Handlers<typeof runPage> {
  const done = { done: true };
  const trial = async (trialId: string): Promise<TrialSummary> => {
    const { trials } = await coach.api.runs.show({ runId });
    const found = trials.find(candidate => candidate.id === trialId);
    if (found === undefined) throw new CoachError('trial.missing', `No trial ${trialId} in this run.`);
    return found;
  };
  return {
    artifacts: async ({ trialId }) => ({ rows: await listArtifacts(await trial(trialId)) }),
    async openArtifact({ trialId, path }) {
      await openArtifact(await trial(trialId), path);
      return done;
    },
    tail: async ({ trialId, path }) => readTail(await trial(trialId), path),
    async reviewDiff({ trialId }) {
      await reviewDiff(await trial(trialId));
      return done;
    },
    async openReport() {
      await openReport(coach, runId);
      return done;
    },
    openSession({ sessionId }) {
      links.openSession(sessionId);
      return done;
    },
    cancel: async () => ({ done: await confirmCancel(coach, runId) }),
    resume: async () => ({ done: await confirmResume(coach, runId) }),
    regrade: async () => ({ done: await confirmRegrade(coach, runId) }),
    async openJudgeSetting() {
      await openJudgeSetting();
      return done;
    },
    openComparison() {
      links.compare([runId]);
      return done;
    },
  };
}

import { describe, expect, it } from 'vitest';
import { runs } from '../../../protocol/runs.ts';
import '../../../server/surfaces/cli/render.ts';
import { toText } from '../../../server/surfaces/cli/renderers.ts';
import { aRun, aTrial } from '../../fakes/scriptedRun.ts';

const counts = (errored: number) => ({ total: 12, done: 12, errored });
const aFinishedRun = (errored: number) => aRun({ state: 'finished', trialCounts: counts(errored) });

describe('runs in a terminal', () => {
  it('say how many trials errored, where some did', () => {
    const [clean, errored] = [0, 3].map(some => toText(runs.members.list, { rows: [aFinishedRun(some)] }));
    expect(errored).toContain('12/12, 3 errored');
    expect(clean).not.toContain('errored');
    expect(toText(runs.members.show, { run: aFinishedRun(3), trials: [] })).toMatch(
      /^Run run-1 \(finished, 3 errored, local\)$/m,
    );
  });

  it('say that the time of a trial is the agent’s', () => {
    const trials = [aTrial({ phase: 'done', end: 'verified', reward: 1, agentMs: 420 })];
    const text = toText(runs.members.show, { run: aFinishedRun(0), trials });
    expect(text).toMatch(/ Agent time$/m);
    expect(text).toMatch(/ 0\.4 s$/m);
  });
});

import { describe, expect, it } from 'vitest';
import { flickering, withEarlier } from '../../../../server/bench/proof/repeats.ts';
import type { VerifierRun } from '../../../../server/bench/verifier/score.ts';

const aRun = (outcomes: Readonly<Record<string, 'passed' | 'failed' | 'skipped'>>): VerifierRun => ({
  exitCode: 0,
  timedOut: false,
  outcomes: Object.entries(outcomes).map(([id, status]) => ({ id, status, message: null, durationMs: null })),
});

describe('tests that change their mind', () => {
  const runs = [
    aRun({ steady: 'passed', late: 'passed', broken: 'failed', gone: 'passed' }),
    aRun({ steady: 'passed', late: 'failed', broken: 'failed' }),
    aRun({ steady: 'passed', late: 'skipped', broken: 'skipped', gone: 'passed' }),
  ];

  it('passed once and once did not; what never passed is only broken', () => {
    expect(flickering(runs)).toEqual([
      { id: 'late', history: ['passed', 'failed', 'skipped'] },
      { id: 'gone', history: ['passed', 'missing', 'passed'] },
    ]);
  });

  it('stay in quarantine when they hold still later, with all that they ever said', () => {
    const now = [aRun({ steady: 'passed', late: 'passed' }), aRun({ steady: 'passed', late: 'passed' })];
    expect(withEarlier(flickering(now), flickering(runs), now)).toEqual([
      { id: 'late', history: ['passed', 'failed', 'skipped', 'passed', 'passed'] },
      { id: 'gone', history: ['passed', 'missing', 'passed', 'missing', 'missing'] },
    ]);
  });
});

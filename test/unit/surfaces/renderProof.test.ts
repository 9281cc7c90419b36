import { describe, expect, it } from 'vitest';
import type { TaskProof } from '../../../protocol/tasks.ts';
import { proofText } from '../../../server/surfaces/cli/renderProof.ts';

const proof: TaskProof = {
  ...{ reference: 1, noOp: 0, provenAt: '2026-11-21T10:00:00.000Z', executor: 'docker', basis: 'tests' },
  base: { image: 'node:24', digest: `sha256:${'a1'.repeat(32)}` },
  checks: [
    {
      ...{ id: 'test-deleter', title: 'an agent that deletes every test', reward: 1, passed: false },
      ...{ detail: '3 of 3 tests passed', durationMs: 1500 },
    },
  ],
  quarantined: [{ id: 'a.test.js > a', history: ['passed', 'missing'] }],
};

describe('a proof in a terminal', () => {
  it('names each check with its reward, the image, and what is in quarantine', () => {
    const text = proofText(proof);
    expect(text).toContain('(docker, on node:24 sha256:a1a1a1a1a1a1)');
    expect(text).toMatch(/^ok +the reference solution +1/m);
    expect(text).toMatch(/^ok +doing nothing +0/m);
    expect(text).toMatch(/^FAIL +an agent that deletes every test +1\S* +1\.5 s +3 of 3 tests passed$/m);
    expect(text).toContain('In quarantine, decides nothing: a.test.js > a (passed, missing)');
  });

  it('says where a proof is weaker', () => {
    expect(proofText({ ...proof, basis: 'rubric' })).toContain('Weaker proof: ');
  });
});

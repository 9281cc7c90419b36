import { aTrial } from '../../fakes/scriptedRun.ts';

const choice = (id: string, replay: string | null = null) => ({ id, model: null, label: null, command: null, replay });
const usage = { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 234, reasoningTokens: 0 };
export const done = { phase: 'done', end: 'verified', agentMs: 4000 } as const;
/** A passed replay, both controls as they must be, and a second attempt that the machine failed. */
export const trials = [
  aTrial({
    id: '1',
    ...done,
    reward: 1,
    usage,
    cost: { amountUsd: null, kind: 'replay' },
    agent: choice('codex', 'r.json'),
  }),
  aTrial({ id: '2', ...done, reward: 1, agent: choice('oracle'), agentLabel: 'oracle' }),
  aTrial({ id: '3', ...done, reward: 0, agent: choice('nop'), agentLabel: 'nop' }),
  aTrial({
    id: '4',
    ...done,
    end: 'errored',
    reward: null,
    attempt: 2,
    usage,
    cost: { amountUsd: null, kind: 'replay' },
    agent: choice('codex', 'r.json'),
    error: { code: 'docker.failed', message: '<script>alert(1)</script>', hint: 'Look.' },
  }),
];

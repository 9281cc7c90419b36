import type { AgentFigures, Comparison } from '../../protocol/comparison.ts';
import { compareRuns } from '../../server/bench/report/comparison.ts';
import { aTrial } from './scriptedRun.ts';

/** Four agents or more, a control and some tasks, with everything that the page of a comparison has to show. */
export function aComparison(tasks = 12, moreAgents = 0): Comparison {
  const agents = [
    anAgent('codex/gpt-5.5', 0.68, 0.62, true),
    anAgent('claude/sonnet-4.6', 0.6, 0.88, false),
    anAgent('codex/gpt-5.5-mini', 0.52, 0.14, true),
    anAgent('opencode/qwen3-coder-480b-instruct-2507', 0.45, 0.31, false),
    ...Array.from({ length: moreAgents }, (_, more) =>
      anAgent(`gemini/gemini-${more + 3}-pro-preview`, 0.4 - more * 0.05, 0.2 + more * 0.1, false),
    ),
    { ...anAgent('oracle', 1, 0, false), isControl: true, isOnFront: null },
  ];
  const [best = '', ...others] = agents.slice(0, 4).map(agent => agent.label);
  return {
    agents,
    pairs: others.map((second, index) => ({
      first: best,
      second,
      tasks,
      better: 7 + index,
      worse: 2,
      equal: 3,
      difference: 0.08 + index * 0.09,
      low: index * 0.05 - 0.01,
      high: 0.17 + index * 0.1,
      pValue: index === 0 ? 0.18 : 0.02,
      test: 'permutation' as const,
      isEnough: index > 0,
      moreTasks: index === 0 ? 6 : 0,
    })),
    tasks: Array.from({ length: tasks }, (_, task) => ({
      task: task === 1 ? 'refund-rounding-in-zero-decimal-currencies' : `task-number-${task + 1}`,
      proven: task !== 2,
      basis: 'tests' as const,
      attempts: agents.map(({ label }, agent) =>
        [1, 2, 3].map(attempt => ({
          trialId: `run-1.${task}.${label}.${attempt}`,
          ...outcome(task + agent + attempt),
        })),
      ),
    })),
    summary: [
      `${best} did best: reward 0.68 (95 % interval 0.53 to 0.82) over 36 verdicts on 12 tasks.`,
      'Not enough evidence that it is better than claude/sonnet-4.6: the difference of 0.08 could be chance (p = 0.18).',
    ],
  };
}

/**
 * The oracle and `codex` in two runs of a morning, one of the other: `codex` was run on two more tasks in the second, and its
 * other verdicts are those of the first.
 */
export function aRepeatedComparison(): Comparison {
  const trialsOf = (runId: string, agentId: string, tasks: number, reused: number) =>
    Array.from({ length: tasks }, (_, task) =>
      aTrial({
        id: `${runId}.${task}.${agentId}`,
        runId,
        task: `task-${task}`,
        agent: { id: agentId, model: null, label: null, command: null, replay: null },
        phase: 'done',
        end: 'verified',
        reward: agentId === 'oracle' || task % 2 === 0 ? 1 : 0,
        ...(task < reused ? { reusedFrom: `run-1.${task}.${agentId}` } : {}),
      }),
    );
  return compareRuns([
    {
      run: { id: 'run-1', createdAt: new Date(2026, 10, 22, 5, 41, 25).toISOString() },
      trials: [...trialsOf('run-1', 'codex', 12, 0), ...trialsOf('run-1', 'oracle', 12, 0)],
    },
    {
      run: { id: 'run-2', createdAt: new Date(2026, 10, 22, 5, 43, 2).toISOString() },
      trials: [...trialsOf('run-2', 'codex', 14, 12), ...trialsOf('run-2', 'oracle', 12, 12)],
    },
  ]);
}

function anAgent(label: string, mean: number, costUsd: number, isOnFront: boolean): AgentFigures {
  return {
    label,
    runName: null,
    runId: 'run-1',
    agentId: label.split('/')[0] ?? label,
    shared: [],
    model: label.split('/')[1] ?? null,
    version: '0.169.0',
    isControl: false,
    isReplay: false,
    trials: 36,
    verdicts: 35,
    reward: { mean, low: mean - 0.15, high: Math.min(1, mean + 0.14), tasks: 12, verdicts: 35 },
    passRates: [
      { k: 1, passAtK: mean, passHatK: mean, tasks: 12 },
      { k: 3, passAtK: Math.min(1, mean + 0.2), passHatK: mean - 0.2, tasks: 12 },
    ],
    medianMs: 400_000,
    medianTokens: 742_000,
    costPerTrial: { amountUsd: costUsd, kind: 'priced' },
    isOnFront,
    failures: { verified: 16, timedOut: 2, errored: 1 },
  };
}

function outcome(number: number): { reward: number | null; end: 'verified' | 'errored' } {
  const rewards = [1, 0, 0.5, 1];
  return number % 9 === 8 ? { reward: null, end: 'errored' } : { reward: rewards[number % 4] ?? 1, end: 'verified' };
}

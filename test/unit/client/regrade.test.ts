import { beforeEach, expect, it, vi } from 'vitest';
import type { Coach } from '../../../client/coach.ts';
import { regrade, tellRegraded } from '../../../client/regrade.ts';
import type { CoachError } from '../../../protocol/errors.ts';
import type { Regrade } from '../../../protocol/runs.ts';

const editor = vi.hoisted(() => ({
  told: [] as unknown[],
  opened: [] as unknown[],
  chosen: undefined as string | undefined,
  judge: '',
}));
vi.mock('vscode', () => {
  const show = async (...message: unknown[]) => {
    editor.told.push(message);
    return editor.chosen;
  };
  return {
    l10n: {
      t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
    },
    ProgressLocation: { Notification: 15 },
    env: {},
    commands: { executeCommand: async (...call: unknown[]) => void editor.opened.push(call) },
    workspace: { getConfiguration: () => ({ get: () => editor.judge }) },
    window: {
      showInformationMessage: show,
      showWarningMessage: show,
      withProgress: (_: unknown, work: (progress: unknown, token: unknown) => unknown) =>
        work({}, { isCancellationRequested: false, onCancellationRequested: () => ({ dispose: () => undefined }) }),
    },
  };
});

const row = (before: number | null, after: number | null, error: Regrade['error'] = null): Regrade => ({
  ...{ trialId: 't', at: '2026-11-21T12:00:00.000Z', before, after, tests: [], flips: [], error },
});
const noJudge = { code: 'judge.missing' as const, message: 'The rubric was not judged: no judge is set.', hint: null };
const gone = { code: 'verifier.failed' as const, message: 'The verifier failed.', hint: null };

beforeEach(() => {
  editor.told = [];
  editor.opened = [];
  editor.chosen = undefined;
  editor.judge = '';
});

it.each([
  [[row(1, 1), row(0, 0)], 'Regraded: 2 judged, no reward changed.'],
  [[row(1, 0.5), row(null, 1)], 'Regraded: 2 judged, 2 rewards changed.'],
  [
    [row(1, 1), row(1, null, gone), row(0, null, gone)],
    'Regraded: 1 judged, no reward changed; 2 without a verdict: The verifier failed.',
  ],
  [[row(1, null, gone)], 'No trial was judged: The verifier failed.'],
])('says how judging anew ended: %#', async (rows, words) => {
  await tellRegraded(rows);
  expect(editor.told).toEqual([[words]]);
});

it('leads to the setting where no judge is set', async () => {
  editor.chosen = 'Set a Judge…';
  await tellRegraded([row(1, 0), row(1, null, noJudge), row(null, null, noJudge)]);
  expect(editor.told).toEqual([
    ['Regraded: 1 judged, 1 reward changed; 2 without a verdict: no judge is set.', 'Set a Judge…'],
  ]);
  expect(editor.opened).toEqual([['workbench.action.openSettings', { query: '@id:codexCoach.judge.model' }]]);
});

it('asks the judge that is set now, and for the key that it lacks', async () => {
  editor.judge = 'openai/gpt-5.5';
  const asked: unknown[] = [];
  const noKey = { code: 'agent.noKey' as const, message: 'OPENAI_API_KEY is not set.', hint: null };
  const coach = {
    keys: { with: (work: (keys: object) => Promise<unknown>) => work({}) },
    api: {
      runs: {
        regrade: async (params: unknown) => {
          asked.push(params);
          return { rows: [row(1, null, noKey)] };
        },
      },
    },
  } as unknown as Coach;
  const failed = regrade(coach, { runId: 'run-1', rubricOnly: true }, 'Judging');
  await expect(failed).rejects.toMatchObject({ code: 'agent.noKey' } satisfies Partial<CoachError>);
  expect(asked).toEqual([{ runId: 'run-1', rubricOnly: true, judge: 'openai/gpt-5.5', keys: {} }]);
});

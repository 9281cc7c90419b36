import { expect, it, vi } from 'vitest';
import { comparisonTitle, reportTitle, runTitle } from '../../../../client/views/runTitle.ts';

vi.mock('vscode', () => ({
  l10n: {
    t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])),
  },
}));

const agent = (id: string, label: string | null = null) => ({ id, label, model: null, command: null, replay: null });
const now = new Date(2026, 10, 21, 18, 0, 0);
const at = (hour: number, minute: number, second: number, day = 21) =>
  new Date(2026, 10, day, hour, minute, second).toISOString();

it('tells runs of one task apart by when they began and by their agents', () => {
  const agents = [agent('codex'), agent('claude', 'claude-fast')];
  expect(runTitle({ createdAt: at(14, 7, 3), agents }, now)).toBe('Run 14:07:03 codex, claude-fast');
  expect(runTitle({ createdAt: at(14, 7, 41), agents }, now)).toBe('Run 14:07:41 codex, claude-fast');
});

it('stays short with many agents, and says the day of an earlier run', () => {
  const agents = ['codex', 'claude', 'gemini', 'oracle'].map(id => agent(id));
  expect(runTitle({ createdAt: at(9, 5, 0, 20), agents }, now)).toMatch(/^Run .*20.* 09:05:00 codex, claude \+2$/);
});

it('calls a report after its run', () => {
  const agents = [agent('command'), agent('oracle')];
  expect(reportTitle({ createdAt: at(5, 41, 25), agents }, now)).toBe('Report 05:41:25 command, oracle');
});

it('calls a comparison by its runs and, each once, their agents', () => {
  const run = (minute: number, ...ids: string[]) => ({ createdAt: at(5, minute, 2), agents: ids.map(id => agent(id)) });
  expect(comparisonTitle([run(41, 'codex', 'oracle'), run(43, 'oracle')], now)).toBe(
    'Compare 05:41:02, 05:43:02 codex, oracle',
  );
  expect(comparisonTitle([run(1, 'codex'), run(2, 'claude'), run(3, 'gemini')], now)).toBe(
    'Compare 05:01:02, 05:02:02 +1 codex, claude +1',
  );
});

import { expect, it, vi } from 'vitest';
import { runTitle } from '../../../../client/views/runTitle.ts';

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

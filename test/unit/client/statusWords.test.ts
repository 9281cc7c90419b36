import { describe, expect, it, vi } from 'vitest';
import { statusWords } from '../../../client/statusWords.ts';
import type { ProxyStatus } from '../../../protocol/proxy.ts';
import type { Recording } from '../../../protocol/tasks.ts';
import { noUsage } from '../../../protocol/usage.ts';

vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace(/\{(\d)\}/g, (_, at) => String(values[Number(at)])) },
}));

const nowMs = Date.parse('2026-11-21T12:00:00.000Z');
const listening: ProxyStatus = {
  ...{ state: 'listening', host: '127.0.0.1', port: 18080, caFile: '', bundleFile: '', exchanges: 3 },
  ...{ openConnections: 0, uncaptured: 0, budgets: [], uncounted: [], lossesToday: null, recordingFault: null },
  ...{ distrusting: [], unreached: [], error: null },
};
const recording: Recording = {
  ...{ taskId: 't', title: 'Refuse empty amounts', repository: '/r', startedAt: '2026-11-21T11:47:20.000Z' },
  ...{ startCommit: 'c', directory: '/r/.coach' },
};
const spent = {
  exchanges: 3,
  usage: { ...noUsage, inputTokens: 12_000, outputTokens: 345 },
  cost: { kind: 'priced' as const, amountUsd: 0.47 },
};
const nothing = { recording: undefined, proxy: undefined, spent: undefined, nowMs };

describe('the status bar', () => {
  it('shows the proxy, and tokens and cost of today', () => {
    const words = statusWords({ ...nothing, proxy: listening, spent });
    expect(words.text).toBe('$(broadcast) Coach · 12.3 k tokens · $0.47');
    expect(words.tooltip).toBe('Recording proxy on 127.0.0.1:18080, 3 exchanges\nToday: 12.3 k tokens, $0.47');
    expect(words.warning).toBe(false);
  });

  it('shows no figures on a day without an exchange, and no price where none is known', () => {
    expect(statusWords({ ...nothing, spent: { ...spent, exchanges: 0 } }).text).toBe('$(circle-outline) Coach');
    const unpriced = { ...spent, cost: { kind: 'unpriced' as const, amountUsd: null } };
    expect(statusWords({ ...nothing, proxy: listening, spent: unpriced }).text).toContain('· unpriced');
  });

  it('shows the task being recorded with its time', () => {
    const words = statusWords({ ...nothing, recording, proxy: listening });
    expect(words.text).toBe('$(record) Refuse empty amounts 12:40');
    expect(words.tooltip).toContain('Recording the task “Refuse empty amounts” for 12:40');
  });

  it('warns when the proxy failed, also while a task is recorded', () => {
    const failed = { ...listening, state: 'failed' as const, error: 'Port 18080 is in use.' };
    for (const status of [
      statusWords({ ...nothing, proxy: failed }),
      statusWords({ ...nothing, recording, proxy: failed }),
    ]) {
      expect(status).toMatchObject({ warning: true, text: expect.stringContaining('$(warning)') });
      expect(status.tooltip).toContain('Port 18080 is in use.');
    }
  });

  it('draws no icon and changes no direction that a title asks for, and stays short', () => {
    const title = '$(flame)\u202e a title that would push all other items out of the bar';
    const { text } = statusWords({ ...nothing, recording: { ...recording, title } });
    expect(text).not.toMatch(/\$\(flame\)|\u202e/);
    expect(text.length).toBeLessThan(50);
  });
});

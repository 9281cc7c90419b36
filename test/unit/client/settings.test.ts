import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { knownAs, settingsEnvironment, withSettingNames } from '../../../client/settings.ts';

/** The window, and what the editor says of each setting. */
const editor = vi.hoisted(() => ({
  env: { remoteName: undefined as string | undefined },
  inspected: {} as Record<string, object>,
}));
vi.mock('vscode', () => ({
  env: editor.env,
  workspace: { getConfiguration: () => ({ inspect: (name: string) => editor.inspected[name] }) },
}));

beforeEach(() => {
  editor.env.remoteName = undefined;
  editor.inspected = {};
});

it('starts the server with what the person has set, whatever a workspace says', () => {
  editor.inspected = {
    'budget.dayTokens': { globalValue: 50, workspaceValue: 1000 },
    'budget.dayUsd': { workspaceValue: 1000 },
    'terminal.record': { globalValue: true },
  };
  expect(settingsEnvironment()).toEqual({ COACH_BUDGET_DAY_TOKENS: '50' });
});

it('starts the server of a remote window with what is set for that machine, however long the window is open', () => {
  editor.env.remoteName = 'ssh-remote';
  editor.inspected = {
    'budget.dayTokens': { globalValue: 50, globalLocalValue: 50, globalRemoteValue: undefined },
    'budget.dayUsd': { globalValue: 3, globalLocalValue: 7, globalRemoteValue: 3 },
  };
  expect(settingsEnvironment()).toEqual({ COACH_BUDGET_DAY_USD: '3' });
});

it('names variables as the person knows them', () => {
  editor.inspected = { 'budget.dayTokens': { globalValue: -5 } };
  vi.stubEnv('COACH_BUDGET_DAY_USD', 'x');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(withSettingNames('COACH_BUDGET_DAY_TOKENS=-5 is not usable, nor COACH_BUDGET_DAY_USD=x.')).toEqual({
    text: 'codexCoach.budget.dayTokens=-5 is not usable, nor COACH_BUDGET_DAY_USD=x.',
    named: ['codexCoach.budget.dayTokens'],
  });
  // One that was just taken back has its name, too.
  expect(['PROXY_PORT', 'CODEX_HOME'].map(knownAs)).toEqual(['codexCoach.proxy.port', 'CODEX_HOME']);
});

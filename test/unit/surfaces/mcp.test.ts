import { expect, it } from 'vitest';
import { agents } from '../../../protocol/agents.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { runs } from '../../../protocol/runs.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { silentLog } from '../../../server/base/log.ts';
import { serveMcp, toolsOf } from '../../../server/surfaces/mcp.ts';

it('offers the four repo_* tools and names every tool once', () => {
  const names = toolsOf([tasks, runs, sessions, agents, proxy]).map(tool => tool.name);
  for (const name of ['repo_start_task', 'repo_end_task', 'repo_check_readiness', 'repo_autofix_readiness']) {
    expect(names).toContain(name);
  }
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9_]{1,64}$/);
});

it('takes the caller’s conversation for a session to prefer, never for one that must have been recorded', () => {
  const taking = toolsOf([tasks, runs, sessions, agents, proxy]).filter(tool => tool.takesSession);
  expect(taking.map(tool => tool.name)).toEqual(['repo_end_task']);
  for (const { spec } of taking) {
    const params = { repository: '/r', preferredSession: 'x' };
    expect(spec.params.parse(params)).toMatchObject(params);
  }
});

it('marks what changes nothing as read-only', () => {
  const tools = new Map(toolsOf([tasks, runs]).map(tool => [tool.name, tool.spec.readOnly]));
  expect(tools.get('repo_check_readiness')).toBe(true);
  expect(tools.get('repo_start_task')).toBe(false);
  expect(tools.get('runs_start')).toBe(false);
});

it('ends when it is told to, also while its input stays open', async () => {
  const told = new AbortController();
  const channel = { request: () => Promise.resolve(null) };
  const served = serveMcp([], channel, '/', silentLog, told.signal);
  told.abort();
  await expect(served).resolves.toBeUndefined();
});

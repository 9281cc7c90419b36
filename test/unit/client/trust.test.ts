import { expect, it } from 'vitest';
import { onlyReadsRecords } from '../../../client/trust.ts';
import { agents } from '../../../protocol/agents.ts';
import { methodOf, requestsOf } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { runs } from '../../../protocol/runs.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';

const allowed = (api: typeof tasks | typeof runs | typeof sessions | typeof proxy | typeof agents) =>
  requestsOf(api).flatMap(([name]) => (onlyReadsRecords(methodOf(api.name, name)) ? [name] : []));

it('lets a workspace that is not trusted read sessions and the state of the proxy, and nothing else', () => {
  expect(allowed(sessions)).toEqual(expect.arrayContaining(['list', 'show', 'search', 'summary', 'today']));
  for (const writing of ['export', 'prune', 'reprice']) expect(allowed(sessions)).not.toContain(writing);
  expect(allowed(proxy)).toEqual(['status']);
  expect([...allowed(tasks), ...allowed(runs), ...allowed(agents)]).toEqual([]);
});

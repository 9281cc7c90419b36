import { expect, it } from 'vitest';
import { agents } from '../../../../protocol/agents.ts';
import { requestsOf } from '../../../../protocol/api.ts';
import { channelPair } from '../../../../protocol/channels/pair.ts';
import { proxy } from '../../../../protocol/proxy.ts';
import { reviews } from '../../../../protocol/reviews.ts';
import { runs } from '../../../../protocol/runs.ts';
import { server } from '../../../../protocol/server.ts';
import { sessions } from '../../../../protocol/sessions.ts';
import { suites } from '../../../../protocol/suites.ts';
import { tasks } from '../../../../protocol/tasks.ts';
import { describeApi } from '../../../../server/surfaces/http/description.ts';
import { routesOf } from '../../../../server/surfaces/http/routes.ts';

const apis = [tasks, suites, runs, reviews, sessions, agents, proxy, server];
const routes = routesOf(apis, channelPair()[0]);
const byPath = new Map(routes.map(route => [route.path, route]));

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; required: boolean }[];
  readonly requestBody?: { content: Record<string, { schema: { required: string[]; properties: object } }> };
}

const description = describeApi(routes, ['runs.progress']) as { paths: Record<string, Record<string, Operation>> };
const operations = Object.values(description.paths).flatMap(methods => Object.values(methods));

it('has the whole main job, what changes nothing as GET', () => {
  const gets = [
    'tasks/check tasks/list tasks/show tasks/recording runs/list runs/show runs/compare runs/events',
    'sessions/list sessions/show sessions/search sessions/stats',
  ];
  const posts = [
    'tasks/fix tasks/start tasks/end tasks/discard tasks/from tasks/edit tasks/prepare tasks/validate',
    'runs/plan runs/start runs/cancel runs/resume runs/regrade',
  ];
  const methodsOf = (lines: string[]) =>
    lines.flatMap(line => line.split(' ')).map(path => byPath.get(`/api/${path}`)?.method);
  expect(new Set(methodsOf(gets))).toEqual(new Set(['GET']));
  expect(new Set(methodsOf(posts))).toEqual(new Set(['POST']));
});

it('gives every exposed request one path, and nothing else', () => {
  const exposed = apis.flatMap(api => requestsOf(api).filter(([, spec]) => spec.expose.includes('http')));
  expect(byPath.size).toBe(exposed.length);
  for (const path of byPath.keys()) expect(path).toMatch(/^\/api\/[a-z]+\/[a-z-]+$/);
  for (const path of ['server/stop', 'server/hello', 'proxy/launch', 'sessions/prune']) {
    expect(byPath.has(`/api/${path}`)).toBe(false);
  }
});

it('wants a confirmation for what may spend money, and says so', () => {
  const spending = routes.filter(({ spec }) => spec.spends).map(({ path }) => path);
  expect(spending).toEqual(expect.arrayContaining(['/api/runs/start', '/api/runs/resume', '/api/runs/regrade']));
  for (const path of spending) {
    const body = description.paths[path]?.['post']?.requestBody?.content['application/json']?.schema;
    expect(body?.required).toContain('yes');
    expect(body?.properties).toHaveProperty('yes');
  }
});

it('keeps keys out of addresses', () => {
  for (const { method, properties } of routes) if ('keys' in properties) expect(method).toBe('POST');
});

it('describes each operation once, with schemas that stand on their own', () => {
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"([^"]+)"/g)].map(match => match[1]);
  expect(new Set(references)).toEqual(new Set(['#/components/schemas/Error']));
  expect(JSON.stringify(description)).not.toContain('$defs');
});

it('tells what a query must have', () => {
  const show = description.paths['/api/tasks/show']?.['get']?.parameters ?? [];
  expect(show.filter(({ required }) => required).map(({ name }) => name)).toEqual(['repository', 'task']);
});

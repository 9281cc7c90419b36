import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { expect, it, onTestFinished } from 'vitest';
import { agents } from '../../../protocol/agents.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { runs } from '../../../protocol/runs.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { tasks } from '../../../protocol/tasks.ts';
import { createLog, silentLog } from '../../../server/base/log.ts';
import { KnownValues } from '../../../server/base/redact/knownValues.ts';
import { mcpServer, serveMcp, toolsOf } from '../../../server/surfaces/mcp.ts';

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
  const deps = { channel, directory: '/', log: silentLog, known: new KnownValues() };
  const served = serveMcp([], deps, told.signal);
  told.abort();
  await expect(served).resolves.toBeUndefined();
});

/** A client of the tools; `answer` is what the server behind them says. */
async function aClient(answer: (params: unknown) => unknown = () => ({ rows: [], next: null })) {
  const asked: [method: string, params: unknown][] = [];
  const logged: string[] = [];
  const known = new KnownValues();
  const log = createLog(line => void logged.push(line), { debug: false, known });
  const channel = {
    request: async (method: string, params: unknown) => {
      asked.push([method, params]);
      return answer(params);
    },
  };
  const server = mcpServer([tasks, runs, sessions, agents, proxy], { channel, directory: '/here', log, known });
  const client = new Client({ name: 'test', version: '1' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  onTestFinished(() => client.close());
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const { content, isError } = await client.callTool({ name, arguments: args });
    return { texts: (content as { text: string }[]).map(({ text }) => text), isError: isError ?? false };
  };
  return { client, call, asked, logged };
}

const aRun = { repository: '/r', tasks: ['a'], agents: [{ id: 'codex' }] };

it('logs keys by their names, and hides what they are from then on', async () => {
  const { call, logged } = await aClient(() => {
    throw new Error('plainkey-one was refused by the provider');
  });
  await call('runs_start', { ...aRun, keys: { openai: 'plainkey-one', MY_THING: 'other words here' } });
  const text = logged.join('');
  expect(text).toContain('"keys":["openai","MY_THING"]');
  expect(text).not.toMatch(/plainkey-one|other words here/);
  expect(text).toContain('was refused by the provider');
});

it('refuses names that it does not know, at any depth, before anything is asked or logged of them', async () => {
  const { call, asked, logged } = await aClient();
  for (const [name, args, words] of [
    ['sessions_list', { bogus: 1 }, /no such parameter: bogus\. Known: limit, before, /],
    ['runs_start', { ...aRun, limit: { maxUsd: 1 } }, /no such parameter: limit\. Known: .*limits/],
    ['runs_start', { ...aRun, limits: { maxUSD: 1 } }, /no such parameter: limits\.maxUSD\. Known in limits: .*maxUsd/],
    ['runs_start', { ...aRun, agents: [{ id: 'codex', modle: 'secretwords' }] }, /no such parameter: agents\.modle\./],
  ] as const) {
    expect(await call(name, args)).toEqual({ texts: [expect.stringMatching(words)], isError: true });
  }
  expect(asked).toEqual([]);
  expect(logged.join('')).not.toContain('secretwords');
  await call('runs_start', { ...aRun, limits: { maxUsd: 1 }, keys: { ANY_NAME: 'x' } });
  expect(asked).toHaveLength(1);
});

it('says what a parameter takes, with its name, before anything is asked or logged of it', async () => {
  const { call, asked, logged } = await aClient();
  for (const [name, args, words] of [
    ['repo_start_task', {}, 'repo_start_task: title is missing.'],
    ['repo_start_task', { title: ' ' }, 'repo_start_task: title " ": expected something that is not empty.'],
    ['repo_start_task', { title: 5 }, 'repo_start_task: title 5: expected text.'],
    ['repo_start_task', { title: 'x'.repeat(201) }, 'repo_start_task: title: expected at most 200 characters.'],
    ['sessions_list', { limit: 0 }, 'sessions_list: limit 0: expected a whole number from 1 to 500, such as 50.'],
    ['sessions_list', { since: 'soon' }, /^sessions_list: since: give a date such as 2026-11-21, or an age/],
    ['runs_start', { ...aRun, tasks: [] }, 'runs_start: tasks: expected at least 1 item.'],
    ['runs_start', { ...aRun, agents: [{ id: 'codex' }, {}] }, 'runs_start: agents.1.id is missing.'],
    ['runs_start', { ...aRun, limits: { maxTokens: 0 } }, /limits\.maxTokens 0: expected a whole number of at least 1/],
    ['runs_start', { ...aRun, keys: 'secretwords' }, 'runs_start: keys: expected an object.'],
  ] as const) {
    expect(await call(name, args)).toEqual({ texts: [expect.stringMatching(words)], isError: true });
  }
  expect(asked).toEqual([]);
  expect(logged.join('')).not.toContain('secretwords');
});

it('describes its tools as taking nothing else, and where a repository is needed, which is meant', async () => {
  const { client } = await aClient();
  const { tools } = await client.listTools();
  const schemas = new Map(tools.map(({ name, inputSchema }) => [name, inputSchema as Record<string, unknown>]));
  for (const schema of schemas.values()) expect(schema['additionalProperties']).toBe(false);
  expect(schemas.get('runs_start')).toMatchObject({
    properties: { limits: { additionalProperties: false }, repository: { default: '/here' } },
    required: expect.not.arrayContaining(['repository']),
  });
  expect(schemas.get('sessions_list')?.['properties']).toMatchObject({
    repository: { description: expect.stringContaining('Only') },
  });
});

it('takes its directory where a repository is needed, and narrows nothing down that was not asked to be', async () => {
  const { call, asked } = await aClient();
  await call('sessions_list');
  await call('runs_list');
  await call('tasks_list');
  await call('sessions_list', { repository: '.' });
  expect(asked.map(([, params]) => params)).toEqual([{}, {}, { repository: '/here' }, { repository: '/here' }]);
});

it('leaves out of an answer what makes it too long, and says how much', async () => {
  const files = Array.from({ length: 4000 }, (_, number) => ({
    path: `src/${'deep/'.repeat(15)}${number}.ts`,
    edits: 1,
  }));
  const { call } = await aClient(() => ({ turns: 3, files, tools: [{ name: 'sh' }] }));
  const { texts } = await call('sessions_summary', { sessionId: 's' });
  const [text = '', note = ''] = texts;
  const shown = JSON.parse(text) as { turns: number; files: object[]; tools: object[] };
  expect(text.length).toBeLessThan(100_000);
  expect(shown).toMatchObject({ turns: 3, tools: [{ name: 'sh' }] });
  expect(shown.files).toEqual(files.slice(0, shown.files.length));
  expect(note).toBe(
    `Left out, as the answer is too long: ${(4000 - shown.files.length).toLocaleString('en-US')} rows of files.`,
  );
});

it('cuts a text that is too long by itself, and passes on what is not', async () => {
  const long = await aClient(() => ({ rows: [{ title: 'x'.repeat(200_000) }] }));
  const { texts } = await long.call('sessions_list');
  expect(texts[0]?.length).toBeLessThan(2000);
  expect(texts[1]).toBe(
    'Left out, as the answer is too long: 199,000 characters of rows.title. Ask for fewer with limit.',
  );
  const short = await aClient(() => ({ rows: [{ title: 'x'.repeat(90_000) }] }));
  expect((await short.call('sessions_list')).texts).toHaveLength(1);
});

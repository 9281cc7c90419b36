import { on, once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Budget } from '../../../protocol/proxy.ts';
import { proxyWarnings } from '../../../protocol/proxyWarnings.ts';
import type { BudgetLimits } from '../../../server/proxy/budget/budget.ts';
import { ModelHosts } from '../../../server/proxy/hosts.ts';
import type { ProxyLaunch } from '../../../server/proxy/proxy.ts';
import { type FakeUpstream, type FakeUpstreamOptions, startFakeUpstream } from '../../fakes/upstream.ts';
import { requireFeature } from '../../require.ts';
import { runRealCodex } from './realCodex.ts';
import { aRecordingWorld, type RecordingWorld } from './recordingWorld.ts';

const none: Budget = { tokens: null, usd: null };
const limits = (fields: Partial<BudgetLimits>): BudgetLimits => ({
  session: none,
  day: none,
  warnShare: 0.8,
  idleMs: 120_000,
  ...fields,
});
const words = 'Codex Coach stopped this request.';
/** Each reply of the fake model uses 1,050 tokens. */
const steps = 'SHELL echo one\nSHELL echo two\nSHELL echo three\nSHELL echo four\nSHELL echo five\nSAY All done.';
const prompt = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY hello' }] };

interface BudgetedWorld {
  readonly world: RecordingWorld;
  readonly upstream: FakeUpstream;
  open(spec?: Parameters<RecordingWorld['open']>[0]): Promise<ProxyLaunch>;
}

async function aBudgetedWorld(
  fields: Partial<BudgetLimits>,
  options: FakeUpstreamOptions = {},
): Promise<BudgetedWorld> {
  const upstream = await startFakeUpstream(options);
  onTestFinished(() => upstream.dispose());
  const world = await aRecordingWorld(null, { budgets: limits(fields) });
  const hosts = ['api.openai.com', 'chatgpt.com', 'api.anthropic.com', 'generativelanguage.googleapis.com'];
  const overrides = hosts.map(host => ({ host, target: upstream.origin }));
  return { world, upstream, open: spec => world.open({ overrides, ...spec }) };
}

/** Requests that reached the model, over either transport, but for those that only warm it up. */
function modelCalls({ requests }: FakeUpstream): number {
  return requests.filter(({ url, body }) => url.includes('/responses') && body !== null && body['generate'] !== false)
    .length;
}

/** One request of a session by a base URL, on a connection of its own. */
async function ask(
  launch: ProxyLaunch,
  session: string,
  path = '/responses',
  headers: Record<string, string> = {},
  model = 'gpt-5.5',
) {
  const answer = await fetch(`${launch.launch.baseUrl}${path}`, {
    method: 'POST',
    headers: { 'thread-id': session, connection: 'close', ...headers },
    body: JSON.stringify({ model, input: [prompt] }),
  });
  const text = await answer.text();
  await launch.settled();
  return { status: answer.status, text };
}

describe('a budget', () => {
  it('of a session stops that session and no other', async () => {
    const { upstream, open } = await aBudgetedWorld({ session: { tokens: 2000, usd: null } });
    const launch = await open();
    expect((await ask(launch, 'first')).status).toBe(200);
    expect((await ask(launch, 'first')).status).toBe(200);
    const refused = await ask(launch, 'first');
    expect(refused.status).toBe(400);
    expect(JSON.parse(refused.text).error.message).toBe(
      `Session first has used 2,100 of its 2,000 tokens. ${words} ` +
        'Start a new session, or raise COACH_BUDGET_SESSION_TOKENS (budget.sessionTokens).',
    );
    expect((await ask(launch, 'second')).status).toBe(200);
    expect(modelCalls(upstream)).toBe(3);
  });

  it('of a session counts each request for the session that it names in its body', async () => {
    const { world, upstream, open } = await aBudgetedWorld({ session: { tokens: 2000, usd: null } });
    const launch = await open();
    const says = async (session: string) => {
      const answer = await fetch(`${launch.launch.baseUrl}/responses`, {
        method: 'POST',
        headers: { connection: 'close' },
        body: JSON.stringify({ model: 'gpt-5.5', prompt_cache_key: session, input: [prompt] }),
      });
      await answer.text();
      await launch.settled();
      return answer.status;
    };
    const statuses: number[] = [];
    for (const session of ['A', 'B', 'B', 'B', 'A', 'A', 'A', 'B']) statuses.push(await says(session));
    expect(statuses).toEqual([200, 200, 200, 400, 200, 400, 400, 400]);
    expect(upstream.requests.filter(({ body }) => body !== null)).toHaveLength(4);
    const recorded = (session: string) => world.store.exchangesOfSession(session).map(({ status }) => status);
    expect([recorded('A'), recorded('B')]).toEqual([
      [200, 200, 400, 400],
      [200, 200, 400, 400],
    ]);
  });

  it.each([
    ['one for each', 'A+ B+ B+ B- A+ A- C+'],
    ['one for all', 'A+ B+ B+ A+ A-'],
  ])('of a session counts each message on WebSockets that name none for its own session, %s', async (how, expected) => {
    const { world, upstream, open } = await aBudgetedWorld(
      { session: { tokens: 2000, usd: null } },
      { webSocket: true, deflate: true },
    );
    const launch = await open();
    const opened = async () => {
      const socket = new WebSocket(`${launch.launch.baseUrl.replace('http:', 'ws:')}/responses`);
      await once(socket, 'open');
      return socket;
    };
    const says = async (socket: WebSocket, session: string) => {
      const exchanges = launch.meter().exchanges;
      // Long enough to be compressed.
      const input = [prompt, { ...prompt, content: 'SAY hello'.padEnd(2000) }];
      socket.send(JSON.stringify({ type: 'response.create', model: 'gpt-5.5', prompt_cache_key: session, input }));
      for await (const [data] of on(socket, 'message')) {
        const { type } = JSON.parse(String(data)) as { type: string };
        if (type !== 'response.completed' && type !== 'response.failed') continue;
        await vi.waitFor(() => expect(launch.meter().exchanges).toBe(exchanges + 1));
        return `${session}${type === 'response.completed' ? '+' : '-'}`;
      }
      return 'closed';
    };
    const ends: string[] = [];
    const shared = how === 'one for all' ? await opened() : null;
    for (const [session = ''] of expected.split(' ')) {
      const socket = shared ?? (await opened());
      ends.push(await says(socket, session));
      if (shared === null) socket.close();
    }
    expect(ends.join(' ')).toBe(expected);
    expect(modelCalls(upstream)).toBe(ends.filter(end => end.endsWith('+')).length);
    expect(world.store.spentInSession('A').tokens).toBe(2100);
    expect(world.store.exchangesOfSession('A').at(-1)).toMatchObject({ error: expect.stringContaining(words) });
  });

  it('of a session stops a program without a launch that names none', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const { hostname, port } = new URL(upstream.origin);
    const place = `http://${hostname}:${port}`;
    const world = await aRecordingWorld(null, {
      budgets: limits({ session: { tokens: 1000, usd: null } }),
      hosts: new ModelHosts(place),
      overrides: [{ host: hostname, target: upstream.origin }],
    });
    const says = (program: string) =>
      new Promise<number>((resolve, reject) => {
        const path = `${place}/v1/responses`;
        const headers = { host: `${hostname}:${port}`, 'user-agent': program };
        const asked = request({ host: '127.0.0.1', port: world.port, method: 'POST', path, headers, agent: false });
        asked.once('error', reject);
        asked.once('response', answer => {
          answer.resume();
          answer.once('end', () => resolve(answer.statusCode ?? 0));
        });
        asked.end(JSON.stringify({ model: 'gpt-5.5', input: [prompt] }));
      });
    const statuses: number[] = [];
    for (const program of ['one', 'one', 'one', 'two', 'two']) {
      statuses.push(await says(program));
      await world.recorder.flush();
    }
    expect(statuses).toEqual([200, 400, 400, 200, 400]);
  });

  it('of a day stops every agent until the day ends, also with another proxy on the same traces', async () => {
    const { world, upstream, open } = await aBudgetedWorld({ day: { tokens: 1000, usd: null } });
    expect((await ask(await open(), 'first')).status).toBe(200);
    expect((await ask(await open({ agent: 'claude' }), 'second')).text).toContain(
      ', UTC) has used 1,050 of its 1,000 tokens.',
    );
    const day = new Date().toISOString().slice(0, 10);
    expect(world.store.spentOnDay(day).tokens).toBe(1050);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    expect((await ask(await open(), 'third')).status).toBe(200);
    expect(modelCalls(upstream)).toBe(2);
  });

  it('of a launch stops that launch, in money too', async () => {
    const { open } = await aBudgetedWorld({});
    // A thousand tokens in and fifty out cost more than a tenth of a cent and less than a dollar.
    const launch = await open({ budget: { tokens: null, usd: 0.001 } });
    expect((await ask(launch, 'first')).status).toBe(200);
    expect((await ask(launch, 'other')).text).toContain('of its $0.0010.');
    expect(launch.refusal()).toContain(words);
    const free = await open();
    expect((await ask(free, 'first')).status).toBe(200);
    expect(free.refusal()).toBeNull();
  });

  it('in money that can not count a model, its price being unknown, says so', async () => {
    const { world, open } = await aBudgetedWorld({ session: { tokens: 9000, usd: 5 } });
    const launch = await open();
    await ask(launch, 'known');
    expect(world.proxy.status().uncounted).toEqual([]);
    for (const session of ['first', 'second']) await ask(launch, session, '/responses', {}, 'gpt-99-unknown');
    expect(world.proxy.status().uncounted).toEqual([{ model: 'gpt-99-unknown', exchanges: 2, lacks: 'price' }]);
    expect(proxyWarnings(world.proxy.status())).toEqual([expect.stringContaining('gpt-99-unknown')]);
  });

  it('that can not count a reply, which tells no usage, says so, but not of one that failed', async () => {
    let tries = 0;
    const silent: FakeUpstreamOptions['intercept'] = (seen, response) => {
      const failed = seen.headers['thread-id'] === 'failed' && tries++ === 0;
      response.writeHead(failed ? 500 : 200, { 'content-type': 'application/json' });
      return Boolean(response.end(failed ? '{"error":{"message":"no"}}' : '{"id":"r","output":[]}'));
    };
    const { world, open } = await aBudgetedWorld({ session: { tokens: 600, usd: null } }, { intercept: silent });
    const launch = await open();
    await ask(launch, 'failed');
    expect(world.proxy.status().uncounted).toEqual([]);
    for (const session of ['failed', 'first', 'second']) expect((await ask(launch, session)).status).toBe(200);
    expect(world.store.exchangesOfSession('failed').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(world.proxy.status().uncounted).toEqual([{ model: 'gpt-5.5', exchanges: 3, lacks: 'usage' }]);
    expect(world.store.stats({ by: [], sinceMs: null })).toMatchObject([{ exchanges: 4, withoutUsage: 4 }]);
  });

  it('is announced before it is spent, and by whom it was', async () => {
    const { world, open } = await aBudgetedWorld({ session: { tokens: 1300, usd: null } });
    const launch = await open();
    await ask(launch, 'first');
    const use = { scope: 'session', id: 'first', unit: 'tokens', limit: 1300 };
    expect(world.proxy.status().budgets).toEqual([{ ...use, used: 1050, state: 'near' }]);
    await ask(launch, 'first');
    expect(world.proxy.status().budgets).toEqual([{ ...use, used: 2100, state: 'spent' }]);
  });

  it('counts nothing that a recording answered, and limits no session of a trial', async () => {
    const { open, world } = await aBudgetedWorld({ session: { tokens: 1000, usd: null } });
    const replay = await open({ replay: true });
    for (const _ of [1, 2, 3]) expect((await ask(replay, 'replayed')).status).toBe(200);
    const trial = await open({ trialId: 'trial-1', budget: { tokens: 3000, usd: null } });
    for (const status of [200, 200, 200, 400]) expect((await ask(trial, 'tried')).status).toBe(status);
    expect(world.store.spentInSession('replayed').tokens).toBe(0);
  });

  it('answers in the shape of each API, at which agents end their turn', async () => {
    const { open } = await aBudgetedWorld({ day: { tokens: 1, usd: null } });
    await ask(await open(), 'first');
    const anthropic = await ask(await open({ defaultHost: 'api.anthropic.com' }), 'a', '/messages');
    expect(anthropic.status).toBe(400);
    expect(JSON.parse(anthropic.text)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining(words) },
    });
    const gemini = await open({ defaultHost: 'generativelanguage.googleapis.com' });
    const google = await ask(gemini, 'b', '/models/gemini-2.5-pro:generateContent');
    expect(JSON.parse(google.text)).toMatchObject({ error: { code: 400, status: 'FAILED_PRECONDITION' } });
    const chat = await ask(await open(), 'c', '/chat/completions');
    expect(JSON.parse(chat.text)).toMatchObject({
      error: { code: 'budget_spent', message: expect.stringContaining(words) },
    });
    const stream = await ask(await open(), 'd', '/responses', { accept: 'text/event-stream' });
    expect(stream.status).toBe(200);
    expect(stream.text).toMatch(/^event: response\.failed\ndata: \{.*Codex Coach stopped this request\..*\}\n\n$/);
  });

  it('leaves alone what calls no model', async () => {
    const { open } = await aBudgetedWorld({ day: { tokens: 1, usd: null } });
    const launch = await open();
    await ask(launch, 'first');
    const models = await fetch(`${launch.launch.baseUrl}/models`);
    expect(models.status).toBe(200);
    await models.text();
    const file = await ask(launch, 'first', '/files');
    expect(file.text).not.toContain(words);
    const looked = await fetch(`${launch.launch.baseUrl}/threads/thread_1/runs`);
    expect(await looked.text()).not.toContain(words);
  });

  it.each(['/threads/runs', '/threads/thread_1/runs', '/batches', '/responses//', '/res%70onses'])(
    'stops a call of a model also at %s, and keeps a record of it',
    async path => {
      const { world, upstream, open } = await aBudgetedWorld({ day: { tokens: 1, usd: null } });
      const launch = await open();
      await ask(launch, 'first');
      const reached = upstream.requests.length;
      expect((await ask(launch, 'first', path)).status).toBe(400);
      expect(upstream.requests).toHaveLength(reached);
      expect(world.store.exchangesOfLaunch(launch.id)).toHaveLength(2);
    },
  );

  it('keeps a record of the request that it stopped, with our answer', async () => {
    const { world, open } = await aBudgetedWorld({ session: { tokens: 1, usd: null } });
    const launch = await open();
    await ask(launch, 'first');
    await ask(launch, 'first');
    expect(world.store.exchangesOfSession('first')).toMatchObject([
      { status: 200, error: null },
      { status: 400, error: expect.stringContaining(words), usage: { inputTokens: null } },
    ]);
    expect(world.proxy.status().uncaptured).toBe(0);
  });

  it('answers at once who waits for a word before it sends its body', async () => {
    const { world, open } = await aBudgetedWorld({ day: { tokens: 1, usd: null } });
    const launch = await open();
    await ask(launch, 'first');
    const socket = connect(world.port, '127.0.0.1');
    const { pathname } = new URL(launch.launch.baseUrl);
    socket.write(
      `POST ${pathname}/responses HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nExpect: 100-continue\r\nContent-Length: 9000\r\n\r\n`,
    );
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('stops the next message on an open WebSocket, and new ones with a 426', async () => {
    const { upstream, open } = await aBudgetedWorld(
      { session: { tokens: 1000, usd: null } },
      { webSocket: true, deflate: true },
    );
    const launch = await open();
    const url = `${launch.launch.baseUrl.replace('http:', 'ws:')}/responses`;
    const socket = new WebSocket(url, { headers: { 'thread-id': 'first' } });
    await once(socket, 'open');
    const heard: { type: string; response?: { error?: { message: string } } }[] = [];
    socket.on('message', data => heard.push(JSON.parse(data.toString())));
    const message = JSON.stringify({ type: 'response.create', model: 'gpt-5.5', input: [prompt] });
    socket.send(message);
    await vi.waitFor(() => expect(heard.at(-1)?.type).toBe('response.completed'));
    await vi.waitFor(() => expect(launch.meter().exchanges).toBe(1));
    socket.send(message);
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).toBe(1008);
    expect(heard.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { error: { message: expect.stringContaining(words) } },
    });
    expect(modelCalls(upstream)).toBe(1);
    const next = new WebSocket(url, { headers: { 'thread-id': 'first' } });
    const [error] = (await once(next, 'error')) as [Error];
    expect(error.message).toContain('426');
  });
});

describe.skipIf(!requireFeature('codex'))('the real Codex with a spent budget', { timeout: 60_000 }, () => {
  it.each([
    ['over SSE', {}],
    ['over its WebSocket', { webSocket: true, deflate: true }],
  ] as const)('ends its turn with our words after at most two more requests, %s', async (_transport, options) => {
    const { world, upstream, open } = await aBudgetedWorld({ session: { tokens: 2000, usd: null } }, options);
    const launch = await open();
    const key = { CODEX_API_KEY: 'sk-canary-0123456789abcdef' };
    const codex = await runRealCodex(steps, { ...launch.launch.env, ...key });
    expect(codex.code).toBe(1);
    expect(codex.stdout).toMatch(
      /"turn\.failed","error":\{"message":"Session [0-9a-f-]+ has used [\d,]+ of its 2,000 tokens\. Codex Coach stopped this request\./,
    );
    expect(modelCalls(upstream)).toBeLessThanOrEqual(2 + 2);
    await launch.settled();
    expect(launch.refusal()).toContain('COACH_BUDGET_SESSION_TOKENS');
    expect(world.proxy.status()).toMatchObject({ uncaptured: 0, budgets: [{ state: 'spent' }] });
  });

  it.each([
    ['over SSE', {}],
    ['over its WebSocket', { webSocket: true, deflate: true }],
  ] as const)('does not begin when the day is used up, %s', async (_transport, options) => {
    const { upstream, open } = await aBudgetedWorld({ day: { tokens: 1000, usd: null } }, options);
    await ask(await open(), 'earlier');
    const before = modelCalls(upstream);
    const launch = await open();
    const codex = await runRealCodex(steps, { ...launch.launch.env, CODEX_API_KEY: 'sk-canary-0123456789abcdef' });
    expect(codex.code).toBe(1);
    expect(codex.stdout).toMatch(/"turn\.failed","error":\{"message":"This day \([-\d]+, UTC\) has used/);
    expect(modelCalls(upstream)).toBe(before);
  });
});

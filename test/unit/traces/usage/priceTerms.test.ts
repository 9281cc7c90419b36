import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { priceTerms } from '../../../../server/traces/usage/priceTerms.ts';
import { anOrigin, aRecorder, aReply, said, sse } from '../recordedTraffic.ts';

const aSearch = (type: string, status = 'completed') => ({
  ...{ type: 'web_search_call', id: 'ws_1', status },
  action: { type, query: 'long enough to be stored apart '.repeat(6) },
});

describe('what a reply says of its price', () => {
  it.each([
    [null],
    ['text'],
    [{}],
    [{ service_tier: null, usage: null }],
    [{ service_tier: 'default' }],
    [{ service_tier: 'auto' }],
    [{ service_tier: 'on_demand' }],
    [{ usage: { service_tier: 'standard', speed: 'standard', inference_geo: 'not_available' } }],
    [{ usage: { inference_geo: 'global' } }],
    [{ usage: { inference_geo: '' } }],
    [{ usageMetadata: { serviceTier: 'standard' } }],
    [{ usage: { num_server_side_tools_used: 0 }, tool_usage: { image_gen: { total_tokens: 0 } } }],
  ])('is that the prices of the list hold: %j', reply => {
    expect(priceTerms(reply)).toEqual({ usual: true, hourCacheWriteTokens: null, webSearches: null });
  });

  it.each([
    [{ service_tier: 'flex' }],
    [{ service_tier: 'priority' }],
    [{ usage: { service_tier: 'batch' } }],
    [{ usage: { service_tier: 'standard', speed: 'fast' } }],
    [{ usage: { inference_geo: 'us' } }],
    [{ usageMetadata: { serviceTier: 'priority' } }],
    [{ usage: { num_server_side_tools_used: 3, server_side_tool_usage_details: { x_search_calls: 3 } } }],
    [{ tool_usage: { image_gen: { total_tokens: 4160 } } }],
  ])('is that they do not: %j', reply => {
    expect(priceTerms(reply).usual).toBe(false);
  });

  it('is how much it keeps in its cache for an hour', () => {
    const usage = { cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 7 } };
    expect(priceTerms({ usage })).toEqual({ usual: true, hourCacheWriteTokens: 7, webSearches: null });
  });

  it.each([
    [{ usage: { server_tool_use: { web_search_requests: 5, web_fetch_requests: 1 } } }],
    [{ tool_usage: { web_search: { num_requests: 5 } }, output: [aSearch('search')] }],
    [{ output: [...Array(5).fill(aSearch('search')), aSearch('open_page'), aSearch('search', 'failed')] }],
    [{ candidates: [{ groundingMetadata: { webSearchQueries: ['a', 'b', 'c', 'd', 'e'] } }] }],
  ])('is how often the provider searched the web: %j', reply => {
    expect(priceTerms(reply)).toEqual({ usual: true, hourCacheWriteTokens: null, webSearches: 5 });
  });
});

/** As Claude Code's replies have it: long enough to be stored apart. */
const claudeUsage = (more: object = {}) => ({
  ...{ input_tokens: 50_000, cache_creation_input_tokens: 50_000, cache_read_input_tokens: 100_000 },
  ...{ output_tokens: 1000, server_tool_use: { web_search_requests: 0, web_fetch_requests: 0 } },
  ...{ service_tier: 'standard', inference_geo: 'global', speed: 'standard', iterations: [] },
  cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 50_000 },
  ...more,
});

describe('the price of a reply with terms of its own', () => {
  const openai = (thread: string, more: object) => ({
    request: { model: 'gpt-5.5', input: [said('user', 'x')] },
    response: JSON.stringify({ id: thread, output: [], usage: { input_tokens: 1000, output_tokens: 10 }, ...more }),
    headers: { 'thread-id': thread },
  });
  const claude = (thread: string, usage: object) => ({
    path: '/v1/messages',
    request: { model: 'claude-opus-4-6', messages: [{ role: 'user', content: 'x' }] },
    response: JSON.stringify({ id: thread, type: 'message', content: [], usage }),
    headers: { 'x-claude-code-session-id': thread },
  });
  const anthropic = anOrigin({ host: 'api.anthropic.com' });

  it('is not known in another tier than the usual', () => {
    const { record, store } = aRecorder();
    const kind = (thread: string) => store.session(thread)?.cost.kind;
    for (const tier of ['default', 'flex', 'priority']) record(openai(tier, { service_tier: tier }));
    expect(['default', 'flex', 'priority'].map(kind)).toEqual(['priced', 'unpriced', 'unpriced']);
    const fast = record(claude('fast', claudeUsage({ speed: 'fast' })), 1, anthropic);
    expect(kind(fast)).toBe('unpriced');
  });

  it('counts what is cached for an hour at its own rate, also when it is computed again', async () => {
    const { record, store, file, upkeep } = aRecorder();
    const session = record(claude('hour', claudeUsage()), 1, anthropic);
    // By hand, USD per million: 50k fresh at 5, 100k read at 0.5, 50k written for an hour at 10, 1k out at 25.
    const right = { amountUsd: expect.closeTo(0.25 + 0.05 + 0.5 + 0.025, 9), kind: 'priced' };
    expect(store.session(session)?.cost).toEqual(right);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    // As versions before counted it.
    const database = new Database(file);
    database.exec('UPDATE exchanges SET cost_usd = 0.6375');
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 1, newlyPriced: 0 });
    expect(store.session(session)?.cost).toEqual(right);
    expect(database.prepare('SELECT replaced_cost_usd FROM exchanges').pluck().get()).toBe(0.6375);
    database.close();
  });

  it('has the web searches in it, also when it is computed again', async () => {
    const { record, store, file, upkeep } = aRecorder();
    const usage = claudeUsage({ server_tool_use: { web_search_requests: 5, web_fetch_requests: 2 } });
    const session = record(claude('searching', usage), 1, anthropic);
    record(openai('asking', { tool_usage: { web_search: { num_requests: 3 } } }));
    // By hand, USD: as above, and each search one cent; 1k in at 5 per million, 10 out at 30, and three cents.
    const right = [
      { amountUsd: expect.closeTo(0.825 + 0.05, 9), kind: 'priced' },
      { amountUsd: expect.closeTo(0.005 + 0.0003 + 0.03, 9), kind: 'priced' },
    ];
    const costs = () => [session, 'asking'].map(id => store.session(id)?.cost);
    expect(costs()).toEqual(right);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    // As versions before counted it.
    const database = new Database(file);
    database.exec('UPDATE exchanges SET cost_usd = cost_usd - 0.03');
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 2, newlyPriced: 0 });
    expect(costs()).toEqual(right);
    const prices = database.prepare("SELECT json_extract(snapshot_json, '$.rates.web_searches_kcount') FROM prices");
    expect(prices.pluck().all()).toEqual([10, 10]);
    database.close();
  });

  it('has them also where the reply names them and does not count them', async () => {
    const { record, store, file, upkeep } = aRecorder();
    record(openai('asking', { output: [aSearch('search'), aSearch('open_page'), said('assistant', 'y')] }));
    const ask = (thread: string, ...grounded: object[]) => {
      const pieces = [...grounded, { finishReason: 'STOP' }].map(more => ({
        content: { parts: [{ text: 'x' }] },
        ...more,
      }));
      const usageMetadata = { promptTokenCount: 100, candidatesTokenCount: 10 };
      const response = sse(...pieces.map(candidate => ({ candidates: [candidate], usageMetadata })));
      const path = '/v1beta/models/gemini-2.5-pro:streamGenerateContent';
      const origin = anOrigin({ host: 'generativelanguage.googleapis.com' });
      record({ path, request: { contents: [] }, response, headers: { 'thread-id': thread } }, 1, origin);
    };
    ask('grounded', { groundingMetadata: { webSearchQueries: ['a'] } });
    ask('plain');
    const costs = () => ['asking', 'grounded', 'plain'].map(id => store.session(id)?.cost);
    const right = [
      { amountUsd: expect.closeTo(0.005 + 0.0003 + 0.01, 9), kind: 'priced' },
      { amountUsd: null, kind: 'unpriced' },
      { amountUsd: expect.any(Number), kind: 'priced' },
    ];
    expect(costs()).toEqual(right);
    const database = new Database(file);
    database.exec("UPDATE exchanges SET cost_usd = 0.0053, cost_kind = 'priced' WHERE session_id <> 'plain'");
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 2, newlyPriced: 0 });
    expect(costs()).toEqual(right);
    database.close();
  });

  it('has what was written to the cache also where no column tells it', async () => {
    const { record, store, file, upkeep } = aRecorder();
    const session = record(claude('first version', claudeUsage()), 1, anthropic);
    const { cost } = store.session(session) ?? {};
    const database = new Database(file);
    database.exec('UPDATE exchanges SET cache_write_tokens = NULL');
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    expect(store.session(session)?.cost).toEqual(cost);
    database.close();
  });

  it('is taken back where it was not one, and kept beside', async () => {
    const { record, store, file, upkeep } = aRecorder();
    record(openai('flex', { service_tier: 'flex' }));
    const usageMetadata = { promptTokenCount: 1000, candidatesTokenCount: 10 };
    const login = record(
      {
        path: '/v1internal:generateContent',
        request: { model: 'gemini-2.5-pro', request: { contents: [] } },
        response: JSON.stringify({ response: { candidates: [{ finishReason: 'STOP' }], usageMetadata } }),
        headers: { 'session-id': 'login' },
      },
      1,
      anOrigin({ host: 'cloudcode-pa.googleapis.com' }),
    );
    record({ ...openai('gone', {}), request: { model: 'gone', input: [said('user', 'x')] } });
    const database = new Database(file);
    database.exec(`
      INSERT INTO prices VALUES (77, '{"source":"older"}');
      UPDATE exchanges SET cost_usd = 0.5, cost_kind = 'priced', price_id = 77`);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 2, newlyPriced: 0 });
    expect(store.session('flex')?.cost).toEqual({ amountUsd: null, kind: 'unpriced' });
    expect(store.session(login)?.cost).toEqual({ amountUsd: null, kind: 'subscription' });
    const prices = database.prepare('SELECT cost_usd, price_id, replaced_cost_usd, replaced_price_id FROM exchanges');
    const taken = { cost_usd: null, price_id: null, replaced_cost_usd: 0.5, replaced_price_id: 77 };
    const kept = { cost_usd: 0.5, price_id: 77, replaced_cost_usd: null, replaced_price_id: null };
    expect(prices.all()).toEqual([taken, taken, kept]);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    database.close();
  });

  it('stays as it was where the reply can’t be read any more', async () => {
    const { record, file, upkeep } = aRecorder();
    record({
      request: { model: 'gpt-5.5', input: [said('user', 'x')] },
      response: aReply([], { input_tokens: 1000, output_tokens: 10, more: 'x'.repeat(300) }),
      headers: { 'thread-id': 'broken' },
    });
    const database = new Database(file);
    database.exec('DELETE FROM items; UPDATE exchanges SET cost_usd = 7');
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    expect(database.prepare('SELECT cost_usd FROM exchanges').pluck().get()).toBe(7);
    database.close();
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { root } from '../../../../scripts/root.ts';
import { type PricedExchange, priceOf, priceSource } from '../../../../server/traces/usage/prices.ts';
import { anOrigin, aRecorder, aReply, said } from '../recordedTraffic.ts';

function anExchange(changes: Partial<PricedExchange> & { input: number; cached?: number; output: number }) {
  const { input, cached, output, ...rest } = changes;
  const usage = { inputTokens: input, cachedInputTokens: cached ?? null, outputTokens: output, reasoningTokens: null };
  return {
    ...{ usage, cacheWriteTokens: null, model: 'gpt-5.5', host: 'api.openai.com' },
    ...{ atMs: Date.UTC(2026, 5, 1), replay: false, subscription: false },
    ...rest,
  };
}

const usual = { usual: true, hourCacheWriteTokens: null, webSearches: null };
const amount = (...exchange: Parameters<typeof anExchange>) => priceOf(anExchange(...exchange)).cost.amountUsd;

describe('the price of an exchange', () => {
  it('names the price list that is installed', () => {
    const manifest = join(root, 'node_modules', '@pydantic', 'genai-prices', 'package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    expect(priceSource).toBe(`genai-prices ${version}`);
  });

  it('charges the higher tier for the whole request once its input is beyond the limit', () => {
    // By hand, USD per million: input 5, cached 0.5, output 30; from 272,000 tokens on 10, 1 and 45.
    expect(amount({ input: 200_000, cached: 100_000, output: 1000 })).toBeCloseTo(0.5 + 0.05 + 0.03, 9);
    expect(amount({ input: 300_000, cached: 100_000, output: 1000 })).toBeCloseTo(2 + 0.1 + 0.045, 9);
  });

  it('charges tokens that were written to the cache at their own rate', () => {
    const claude = { model: 'claude-opus-4-6', host: 'api.anthropic.com' };
    // By hand: 50k fresh at 5, 100k read at 0.5, 50k written at 6.25, 1k out at 25.
    expect(amount({ ...claude, input: 200_000, cached: 100_000, cacheWriteTokens: 50_000, output: 1000 })).toBeCloseTo(
      0.25 + 0.05 + 0.3125 + 0.025,
      9,
    );
  });

  it('charges tokens that are kept in the cache for an hour at their own rate, and has none where the list has none', () => {
    const written = { input: 200_000, cached: 100_000, cacheWriteTokens: 50_000, output: 1000 };
    const terms = { ...usual, hourCacheWriteTokens: 20_000 };
    // As before, but 20k of what was written at 10.
    expect(amount({ model: 'claude-opus-4-6', host: 'api.anthropic.com', ...written, terms })).toBeCloseTo(
      0.25 + 0.05 + 0.1875 + 0.2 + 0.025,
      9,
    );
    const elsewhere = { model: 'anthropic/claude-opus-4.6', host: 'openrouter.ai', ...written };
    expect(amount({ ...elsewhere, terms: { ...terms, hourCacheWriteTokens: 0 } })).toBeGreaterThan(0);
    expect(priceOf(anExchange({ ...elsewhere, terms })).cost.kind).toBe('unpriced');
  });

  it('charges web searches by the list, and has no price where the list has none', () => {
    const claude = { model: 'claude-sonnet-4-5', host: 'api.anthropic.com', input: 1000, output: 100 };
    // By hand, USD: 1k in at 3 per million, 100 out at 15, five searches at 10 per thousand.
    expect(amount({ ...claude, terms: { ...usual, webSearches: 5 } })).toBeCloseTo(0.003 + 0.0015 + 0.05, 9);
    const elsewhere = { ...claude, model: 'anthropic/claude-opus-4.6', host: 'openrouter.ai' };
    expect(amount({ ...elsewhere, terms: { ...usual, webSearches: 0 } })).toBeGreaterThan(0);
    const searching = priceOf(anExchange({ ...elsewhere, terms: { ...usual, webSearches: 1 } }));
    expect(searching.cost).toEqual({ amountUsd: null, kind: 'unpriced' });
  });

  it('keeps all the rates that it was computed with, those per call as well', () => {
    const claude = { model: 'claude-sonnet-4-5', host: 'api.anthropic.com', input: 1, output: 1 };
    expect(priceOf(anExchange(claude)).snapshot?.rates).toMatchObject({ web_searches_kcount: 10 });
    const sonar = { model: 'sonar', host: 'api.perplexity.ai', input: 1, output: 1 };
    expect(priceOf(anExchange(sonar)).snapshot?.rates).toMatchObject({ requests_kcount: 12 });
  });

  it('has no price for an unknown model or host, contradictory counts or missing ones, and none for a subscription', () => {
    const kind = (...exchange: Parameters<typeof anExchange>) => priceOf(anExchange(...exchange)).cost.kind;
    expect(kind({ input: 1, output: 1, model: 'gpt-5.6-codex' })).toBe('unpriced');
    expect(kind({ input: 1, output: 1, host: 'gateway.example' })).toBe('unpriced');
    expect(kind({ input: 1, cached: 2, output: 1 })).toBe('unpriced');
    expect(kind({ input: 1, output: 1, host: 'chatgpt.com' })).toBe('subscription');
    expect(kind({ input: 1, output: 1, subscription: true })).toBe('subscription');
    const login = { model: 'gemini-2.5-pro', host: 'cloudcode-pa.googleapis.com' };
    expect(kind({ input: 1, output: 1, ...login })).toBe('subscription');
    expect(kind({ input: 1, output: 1, terms: { ...usual, usual: false } })).toBe('unpriced');
    expect(kind({ input: 0, output: 0 })).toBe('none');
    expect(priceOf(anExchange({ input: 1, output: 1, subscription: true })).snapshot).toBeNull();
  });
});

it('has a price for a session of Gemini in which one answer was empty', () => {
  const { record, store } = aRecorder();
  const traffic = (candidate: object, usageMetadata: object) => ({
    path: '/v1beta/models/gemini-2.5-pro:generateContent',
    request: { contents: [{ role: 'user', parts: [{ text: 'x' }] }] },
    response: JSON.stringify({ candidates: [candidate], usageMetadata: { promptTokenCount: 5000, ...usageMetadata } }),
    headers: { 'thread-id': 'g' },
  });
  const origin = anOrigin({ host: 'generativelanguage.googleapis.com' });
  const answer = { content: { role: 'model', parts: [{ text: 'ok' }] }, finishReason: 'STOP' };
  record(traffic({ content: {}, finishReason: 'MALFORMED_FUNCTION_CALL' }, { totalTokenCount: 5000 }), 1, origin);
  record(traffic(answer, { candidatesTokenCount: 100, totalTokenCount: 5100 }), 2, origin);
  // By hand, USD per million: twice 5k in at 1.25, 100 out at 10.
  expect(store.session('g')?.cost).toEqual({ amountUsd: expect.closeTo(0.0125 + 0.001, 9), kind: 'priced' });
});

describe('computing costs again', () => {
  it('takes the prices of now, keeps the ones before, and corrects the totals', async () => {
    const { record, store, file, upkeep } = aRecorder();
    const usage = { input_tokens: 200_000, input_tokens_details: { cached_tokens: 100_000 }, output_tokens: 1000 };
    const traffic = (thread: string, model: string) => ({
      request: { model, input: [said('user', 'x')] },
      response: aReply([], usage),
      headers: { 'thread-id': thread },
    });
    record(traffic('a', 'gpt-5.5'));
    record(traffic('a', 'gpt-5.5'));
    record(traffic('b', 'unheard-of'));
    const launch = { id: 'l', agent: 'codex', label: null, trialId: null, replay: true };
    record(traffic('c', 'gpt-5.5'), Date.now(), anOrigin({ launch }));
    expect(store.session('a')?.cost.amountUsd).toBeCloseTo(1.16, 9);
    const database = new Database(file);
    // As an older version might have left it: another price list, and a model it did not know.
    database.exec(`
      INSERT INTO prices VALUES (77, '{"source":"older"}');
      UPDATE exchanges SET cost_usd = 0.1, price_id = 77 WHERE session_id = 'a';
      UPDATE exchanges SET cost_usd = NULL, cost_kind = 'unpriced', price_id = NULL
        WHERE seq = (SELECT max(seq) FROM exchanges WHERE session_id = 'a')`);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 2, newlyPriced: 1 });
    expect(store.session('a')?.cost).toEqual({ amountUsd: expect.closeTo(1.16, 9), kind: 'priced' });
    expect(store.session('b')?.cost.kind).toBe('unpriced');
    expect(store.session('c')?.cost.kind).toBe('replay');
    expect(
      database
        .prepare(
          `SELECT json_extract(snapshot_json, '$.source') AS source, replaced_cost_usd, replaced_price_id
           FROM exchanges JOIN prices ON prices.id = price_id ORDER BY seq`,
        )
        .all(),
    ).toEqual([
      { source: priceSource, replaced_cost_usd: 0.1, replaced_price_id: 77 },
      { source: priceSource, replaced_cost_usd: null, replaced_price_id: null },
    ]);
    expect(await upkeep({ kind: 'reprice' })).toEqual({ changed: 0, newlyPriced: 0 });
    database.close();
  });
});

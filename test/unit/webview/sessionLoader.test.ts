import { beforeEach, expect, it, vi } from 'vitest';
import type { Remote } from '../../../protocol/api.ts';
import type { sessions } from '../../../protocol/sessions.ts';
import { SessionLines } from '../../../server/traces/sessions/sessionLines.ts';
import { wholeSession } from '../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../server/traces/sessions/sessionReport.ts';
import type { TraceStore } from '../../../server/traces/store.ts';
import { SessionLoader } from '../../../webview/pages/session/sessionLoader.ts';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { anOrigin, aRecorder, wireOf } from '../traces/recordedTraffic.ts';

const startMs = 1_700_000_000_000;
const origin = anOrigin({ host: 'api.anthropic.com' });

beforeEach(() => {
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => setTimeout(draw));
  return () => vi.unstubAllGlobals();
});

const call = { type: 'tool_use', id: 't1', name: 'Bash', input: { command: 'npm test' } };
const asked = (text: string) => ({ role: 'user', content: text });
const spoke = (text: string) => ({ type: 'text', text });

function aRequest(messages: readonly object[], content: readonly object[], system = 'Be brief.') {
  const model = 'claude-sonnet-4-5';
  const usage = { input_tokens: 1, output_tokens: 1 };
  return {
    path: '/v1/messages',
    request: { model, system, messages },
    response: JSON.stringify({ id: 'm', type: 'message', model, role: 'assistant', content, usage }),
    headers: { 'x-claude-code-session-id': 's' },
  };
}

/** The page of a session in this store: `look` draws all of it, `unfold` what a person does. */
function aPage(store: TraceStore) {
  const lines = () => new SessionLines(store.exchangesOfSession('s'), store.conversation('s'));
  const opened = () => ({ session: store.requireSession('s'), exchanges: store.exchangesOfSession('s') });
  const server = {
    opening: async () => ({ ...opened(), hasTotals: true, rows: [...lines().outline], lines: lines().page(0, 100) }),
    exchanges: async () => opened(),
    outline: async () => ({ rows: [...lines().outline] }),
    summary: async () => reportOf(wholeSession(store, 's')),
    lines: async ({ from, limit }: { from: number; limit: number }) => ({ lines: lines().page(from, limit) }),
    text: vi.fn(async ({ line }: { line: number }) => lines().text(line, false)),
    find: async ({ text }: { text: string }) => ({ lines: lines().find(text) }),
  };
  const model = new SessionModel();
  const loader = new SessionLoader(server as unknown as Remote<typeof sessions>, 's', model, () => undefined);
  const rows = () => model.rows().filter(row => row.kind === 'line');
  return {
    model,
    server,
    load: () => loader.load(),
    texts: server.text,
    find: (text: string) => loader.find(text, new AbortController().signal),
    async look() {
      await loader.load();
      loader.need(model.rows(), false);
      await vi.waitFor(() => expect(rows().every(({ key }) => model.lines.has(key))).toBe(true));
      await new Promise(resolve => setTimeout(resolve, 5));
    },
    async unfold(text: string) {
      const row = rows().find(({ key }) => model.lines.get(key)?.text === text);
      if (row === undefined) throw new Error(`No line ${text}`);
      model.unfolded.add(row.key);
      await loader.loadText(row.key);
    },
    /** What is drawn: each line with its text where it is unfolded. */
    shown: () =>
      rows().map(({ key }) => [model.lines.get(key)?.text, ...(model.unfolded.has(key) ? [model.texts.get(key)] : [])]),
  };
}

it('shows the output of an unfolded call once it came', async () => {
  const { record, store } = aRecorder();
  const page = aPage(store);
  record(aRequest([asked('Test it.')], [call]), startMs, origin);
  await page.look();
  await page.unfold('npm test');
  expect(page.shown().at(-1)).toMatchObject(['npm test', { text: 'npm test', output: null }]);
  const result = { type: 'tool_result', tool_use_id: 't1', content: 'All tests passed.' };
  const history = [asked('Test it.'), { role: 'assistant', content: [call] }, { role: 'user', content: [result] }];
  record(aRequest(history, [spoke('Done.')]), startMs + 5000, origin);
  await page.look();
  expect(page.shown().at(-2)).toMatchObject(['npm test', { text: 'npm test', output: 'All tests passed.' }]);
});

it('asks for a text once until the session grows, and only where it is unfolded', async () => {
  const { record, store } = aRecorder();
  const page = aPage(store);
  record(aRequest([asked('Test it.')], [call]), startMs, origin);
  await page.look();
  expect(page.texts).not.toHaveBeenCalled();
  await page.unfold('npm test');
  await page.unfold('npm test');
  expect(page.texts).toHaveBeenCalledTimes(1);
});

it('keeps each text with its line when a request that began earlier is answered later', async () => {
  const { accept, store } = aRecorder();
  const page = aPage(store);
  const early = wireOf(aRequest([asked('Ask A.')], [spoke('Answer A.')]));
  const late = wireOf(
    aRequest([asked('Ask B.')], [{ type: 'thinking', thinking: 'Thought of B.' }, spoke('Answer B.')]),
  );
  const up = (connection: number, bytes: Buffer, atMs: number) => {
    accept({ kind: 'open', connection, origin });
    accept({ kind: 'bytes', connection, direction: 'up', bytes, atMs });
  };
  const down = (connection: number, bytes: Buffer, atMs: number) => {
    accept({ kind: 'bytes', connection, direction: 'down', bytes, atMs });
    accept({ kind: 'close', connection, atMs });
  };
  up(1, early.up, startMs);
  up(2, late.up, startMs + 10);
  down(2, late.down, startMs + 50);
  await page.look();
  await page.unfold('Thought of B.');
  page.model.hits = await page.find('Answer B');
  const thought = ['Thought of B.', { text: 'Thought of B.', output: null, isCut: false }];
  expect(page.shown()).toEqual([['Be brief.'], ['Ask B.'], thought, ['Answer B.']]);
  down(1, early.down, startMs + 9000);
  await page.look();
  expect(page.shown()).toEqual([['Be brief.'], ['Ask A.'], ['Answer A.'], ['Ask B.'], thought, ['Answer B.']]);
  expect(page.model.shownHits()).toEqual(await page.find('Answer B'));
});

it('shows all of a session that grows while it is loaded, though an earlier answer comes last', async () => {
  const { record, store } = aRecorder();
  const page = aPage(store);
  record(aRequest([asked('Test it.')], [spoke('I do.')]), startMs, origin);
  const { exchanges } = page.server;
  const early = Promise.withResolvers<void>();
  page.server.exchanges = async () => {
    page.server.exchanges = exchanges;
    const answer = await exchanges();
    await early.promise;
    return answer;
  };
  const first = page.load();
  await vi.waitFor(() => expect(page.server.exchanges).toBe(exchanges));
  record(aRequest([asked('And now that.')], [spoke('Done.')]), startMs + 5000, origin);
  const second = page.load();
  await new Promise(resolve => setTimeout(resolve, 20));
  early.resolve();
  await Promise.all([first, second]);
  expect(page.model.exchanges).toHaveLength(2);
});

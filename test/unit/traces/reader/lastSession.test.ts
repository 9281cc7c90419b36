import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { CodexSessionFiles } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { LastSession } from '../../../../server/traces/reader/lastSession.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { aRecorder, aReply } from '../recordedTraffic.ts';

const id = '019a8f3e-0000-7000-8000-000000000001';

/** As Codex counts after each reply; without one there is no exchange. */
function tokens(replies: number) {
  const used = (times: number) => ({ input_tokens: 10 * times, output_tokens: times, total_tokens: 11 * times });
  return { total_token_usage: used(replies), last_token_usage: used(1) };
}

function aCodexHome() {
  const directory = temporaryDirectory();
  const day = join(directory, 'sessions', '2026', '11', '20');
  mkdirSync(day, { recursive: true });
  const said: string[] = [];
  const write = () => {
    const lines = [
      {
        type: 'session_meta',
        payload: { id, timestamp: '2026-11-20T16:04:00.000Z', cwd: '/w', originator: 'codex_exec' },
      },
      ...said.flatMap((text, index) => [
        {
          type: 'response_item',
          payload: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
        },
        { type: 'event_msg', payload: { type: 'token_count', info: tokens(index + 1) } },
      ]),
    ];
    const body = lines.map(line => JSON.stringify({ timestamp: '2026-11-20T16:04:01.000Z', ...line })).join('\n');
    writeFileSync(join(day, `rollout-2026-11-20T16-04-00-${id}.jsonl`), `${body}\n`);
  };
  return {
    store: join(directory, 'traces.sqlite3'),
    files: new CodexSessionFiles([join(directory, 'sessions')], new Redactor()),
    say(text: string) {
      said.push(text);
      write();
    },
  };
}

it('reads a session once for all its parts, and again once it has grown', async () => {
  const home = aCodexHome();
  home.say('Add a median.');
  const last = new LastSession(new TraceStore(home.store), home.files);
  const [first, again] = await Promise.all([last.read(id), last.read(id)]);
  expect(again).toBe(first);
  expect(first.lines.page(0, 9).map(line => line.text)).toEqual(['Add a median.']);
  home.say('And a mode.');
  const grown = await last.read(id);
  expect(grown.lines.page(0, 9).map(line => line.text)).toEqual(['Add a median.', 'And a mode.']);
});

it('asks anew after a session that was not there', async () => {
  const home = aCodexHome();
  const last = new LastSession(new TraceStore(home.store), home.files);
  await expect(last.read(id)).rejects.toMatchObject({ code: 'session.missing' });
  home.say('Now it is.');
  expect((await last.read(id)).lines.page(0, 9)).toHaveLength(1);
});

it('reads a recorded session again when its cost was computed again', async () => {
  const recorder = aRecorder();
  recorder.record({ request: { model: 'gpt-5.5', input: 'x' }, response: aReply([]), headers: { 'thread-id': 's' } });
  const database = new Database(recorder.file);
  const change = (sql: string) => database.exec(`UPDATE exchanges SET ${sql}; UPDATE usage_totals SET ${sql}`);
  change("cost_usd = NULL, cost_kind = 'unpriced'");
  const last = new LastSession(recorder.store, aCodexHome().files);
  const first = await last.read('s');
  expect(await last.read('s')).toBe(first);
  change("cost_usd = 2, cost_kind = 'priced'");
  database.close();
  const cost = { amountUsd: 2, kind: 'priced' };
  expect(await last.read('s')).toMatchObject({ session: { cost }, exchanges: [{ cost }] });
});

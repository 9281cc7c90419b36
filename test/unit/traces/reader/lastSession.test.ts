import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CodexSessionFiles } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { LastSession } from '../../../../server/traces/reader/lastSession.ts';
import { Redactor } from '../../../../server/traces/redaction.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { temporaryDirectory } from '../../../temporary.ts';

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

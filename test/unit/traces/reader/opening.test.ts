import { expect, it } from 'vitest';
import { CodexSessionFiles } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { openingOf } from '../../../../server/traces/reader/opening.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { SessionLines } from '../../../../server/traces/sessions/sessionLines.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';

it('begins a recorded session with its first exchanges, whose lines are those of the whole', async () => {
  const recorder = aRecorder();
  const input: object[] = [];
  let session = '';
  for (let turn = 1; turn <= 40; turn++) {
    input.push(said('user', `Question ${turn}`));
    const request = { model: 'gpt-5.5', prompt_cache_key: 'thread', input: [...input] };
    const answer = said('assistant', `Answer ${turn}`);
    input.push(answer);
    session = recorder.record({ request, response: aReply([answer]) }, 1_790_000_000_000 + turn * 1000);
  }
  const { store, directory } = recorder;
  const files = new CodexSessionFiles([directory], new Redactor());
  const opening = await openingOf(store, files, session);
  const whole = new SessionLines(store.exchangesOfSession(session), store.conversation(session));
  expect(opening).toMatchObject({ session: { id: session, exchanges: 40 }, hasTotals: true });
  expect(opening.exchanges).toEqual(store.exchangesOfSession(session).slice(0, 30));
  expect(opening.rows).toHaveLength(30);
  expect(opening.lines).toHaveLength(60);
  expect(opening.lines).toEqual(whole.page(0, 60));
  await expect(openingOf(store, files, 'no such session')).rejects.toMatchObject({ code: 'session.missing' });
});

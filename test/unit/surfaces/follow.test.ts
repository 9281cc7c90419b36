import { describe, expect, it } from 'vitest';
import { CoachError } from '../../../protocol/errors.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { follow } from '../../../server/surfaces/cli/follow.ts';
import type { Terminal } from '../../../server/surfaces/cli/terminal.ts';
import { anExchange } from '../traces/sessions/aReader.ts';

type Page = { rows: Exchange[]; next: number };

/** Follows answers that are given one after the other; the last one presses Ctrl-C. */
async function followed(answers: readonly (Page | Error)[], options: { json?: boolean; session?: string } = {}) {
  const printed: string[] = [];
  const noted: string[] = [];
  const asked: unknown[] = [];
  const interrupt = new AbortController();
  const terminal: Pick<Terminal, 'print' | 'note' | 'signal'> = {
    print: text => void printed.push(text),
    note: text => void noted.push(text),
    signal: interrupt.signal,
  };
  const left = [...answers];
  const request = async (_method: string, params: unknown) => {
    asked.push(params);
    const answer = left.shift();
    if (left.length === 0) interrupt.abort();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  await follow({ request }, options, terminal);
  return { printed, noted, asked };
}

describe('sessions follow', () => {
  it('refuses a session that is empty, which nothing would ever come of', async () => {
    await expect(followed([{ rows: [], next: 7 }], { session: '' })).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('begins now, then prints what its cursor has not seen', async () => {
    const { printed, asked } = await followed([
      { rows: [], next: 7 },
      { rows: [anExchange(2)], next: 8 },
      { rows: [anExchange(3, { error: 'Too \u001b[31mmany', status: 429 })], next: 9 },
    ]);
    expect(asked).toEqual([{}, { after: 7 }, { after: 8 }]);
    expect(printed[0]).toContain('gpt-5.5  200  2.0 k in (45 % cached), 50 out  $0.01  first byte 1.0 s  4.0 s');
    expect(printed[1]).toContain('429');
    expect(printed[1]).toContain('ERROR Too ␛[31mmany');
  });

  it('prints no escape of a model or a session that a recording names', async () => {
    const { printed } = await followed([
      { rows: [], next: 7 },
      { rows: [anExchange(2, { model: 'gpt\u001b]0;owned\u0007', sessionId: 's\u202e1' })], next: 8 },
    ]);
    expect(printed[0]).toContain('s[U+202E]1  gpt␛]0;owned␇  200');
  });

  it('goes on from its cursor when the server was away', async () => {
    const away = new CoachError('server.unreachable', 'The background server ended.');
    const { printed, noted, asked } = await followed([
      { rows: [], next: 7 },
      away,
      away,
      { rows: [anExchange(1)], next: 8 },
    ]);
    expect(asked.at(-1)).toEqual({ after: 7 });
    expect(printed).toHaveLength(1);
    expect(noted.filter(note => note.includes('away'))).toHaveLength(1);
  });

  it('prints a line of JSON per exchange, of one session', async () => {
    const { printed, noted, asked } = await followed(
      [
        { rows: [], next: 1 },
        { rows: [anExchange(1)], next: 1 },
        { rows: [anExchange(1)], next: 2 },
      ],
      {
        json: true,
        session: 'session-1',
      },
    );
    expect(asked).toEqual([
      { sessionId: 'session-1' },
      { after: 0, sessionId: 'session-1' },
      { after: 1, sessionId: 'session-1' },
    ]);
    expect(noted).toEqual(['Following. Ctrl-C ends.']);
    expect(JSON.parse(printed[0] ?? '')).toEqual(anExchange(1));
  });

  it('says so when nothing is there of the session yet', async () => {
    const nothing = { rows: [], next: 1 };
    const { noted } = await followed([nothing, nothing, nothing], { session: 'nope' });
    expect(noted).toEqual([expect.stringContaining('session nope is recorded yet')]);
  });

  it('goes on with the session that a beginning or the word for the latest named at first', async () => {
    const row = anExchange(1, { sessionId: '019a-whole' });
    for (const session of ['019a', 'latest']) {
      const { asked } = await followed(
        [
          { rows: [], next: 1 },
          { rows: [row], next: 1 },
          { rows: [], next: 1 },
        ],
        { session },
      );
      expect(asked.at(-1)).toEqual({ after: 1, sessionId: '019a-whole' });
      const nothing = { rows: [], next: 1 };
      const later = await followed([nothing, nothing, { rows: [row], next: 2 }, nothing], { session });
      expect(later.asked.at(-1)).toEqual({ after: 2, sessionId: '019a-whole' });
    }
  });

  it('refuses a beginning that is too short, and says that nothing is there where nothing is', async () => {
    const nothing = { rows: [], next: 1 };
    await expect(followed([nothing, nothing, nothing], { session: 'e37' })).rejects.toMatchObject({
      code: 'input.invalid',
      hint: expect.stringContaining('at least 4 characters'),
    });
    const { noted } = await followed([nothing, nothing, nothing], { session: 'latest' });
    expect(noted).toEqual(['Nothing is recorded yet; following until it comes. Ctrl-C ends.']);
  });

  it('prints as much of an exchange’s id as other commands need', async () => {
    const id = '01a206a5-43a5-7abc-8def-0123456789ab';
    const { printed } = await followed([
      { rows: [], next: 7 },
      { rows: [anExchange(1, { id })], next: 8 },
    ]);
    expect(printed[0]).toMatch(/^\d\d:\d\d:\d\d {2}01a206a5-43a5-7abc {2}session-1 {2}/);
  });

  it('ends with any other fault', async () => {
    await expect(followed([new CoachError('internal', 'broken'), { rows: [], next: 1 }])).rejects.toMatchObject({
      code: 'internal',
    });
  });
});

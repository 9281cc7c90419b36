import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRequestText, unpackRequestText } from '../../../../server/traces/events/requestText.ts';

interface Sent {
  readonly text: string | Buffer;
  readonly tail?: number;
  readonly changed?: boolean;
}

/** What is written out for a text that was sent, and how much had to be stored for that. */
function writtenOut({ text, tail, changed = false }: Sent, whole?: unknown, isClean = (_: string) => true) {
  const body = Buffer.from(text);
  let value: unknown = null;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {}
  const canonical = value === null ? null : JSON.stringify(value);
  const sent = { body, canonical, tail: tail ?? null, changed, tooLarge: false };
  const stored = packRequestText(sent, isClean);
  return { ...unpackRequestText(stored, whole ?? value, 'input'), storedBytes: stored?.length ?? 0 };
}

const python = (value: unknown): string =>
  JSON.stringify(value, null, 1)
    .replace(/\n\s*/g, ' ')
    .replace(/[\u007f-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe('the text of a request', () => {
  it('costs nothing when it is written as JSON.stringify writes', () => {
    const text = JSON.stringify({ model: 'gpt-5.5', input: ['é', { a: [1.5, null, true] }] });
    expect(writtenOut({ text })).toEqual({ text, exact: true, storedBytes: 0 });
  });

  it('comes back however it is spelt', () => {
    const spaces = fc.constantFrom('', ' ', '\n  ', '\t', '\r\n');
    const spelt = fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.array(spaces, { minLength: 1 })).map(([value, gaps]) => {
      let at = 0;
      return JSON.stringify(value).replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, token => token + gaps[at++ % gaps.length]);
    });
    const hostile = fc.constantFrom('{"a":1,"a":2}', '{"2":1,"1":2}', '[1.0,1e2,-0]', '"\\u0041\\/"', '{', '', 'null');
    const styled = fc.jsonValue().map(python);
    fc.assert(
      fc.property(fc.oneof(spelt, styled, hostile, fc.string()), text => {
        expect(writtenOut({ text })).toMatchObject({ text, exact: true });
      }),
    );
  });

  it('takes little room when a Python program wrote it', () => {
    const input = Array.from({ length: 300 }, (_, index) => ({
      role: 'user',
      content: `Schöne Grüße ${index * 7919}`,
    }));
    const text = python({ model: 'm', input, temperature: 1 }).replace('"temperature": 1', '"temperature": 1.0');
    const { storedBytes, ...rest } = writtenOut({ text });
    expect(rest).toEqual({ text, exact: true });
    expect(storedBytes).toBeLessThan(120);
  });

  it('of a message that only adds to a response is that message, not the whole conversation', () => {
    const sent = { type: 'response.create', input: ['b', 'c'], previous_response_id: 'r' };
    const text = JSON.stringify(sent);
    expect(writtenOut({ text, tail: 2 }, { ...sent, input: ['a', 'b', 'c'] })).toMatchObject({ text, exact: true });
    const nothing = { ...sent, input: [] };
    expect(writtenOut({ text: JSON.stringify(nothing), tail: 0 }, { ...sent, input: ['a'] }).text).toBe(
      JSON.stringify(nothing),
    );
  });

  it('is the redacted one, and says so, when a secret was in it', () => {
    const text = '{ "input": "sk-secret" }';
    const kept = writtenOut({ text, changed: true }, { input: '[redacted]' });
    expect(kept).toMatchObject({ text: '{"input":"[redacted]"}', exact: false });
  });

  it('never keeps what parsing drops without a look at it', () => {
    const isClean = (text: string) => !text.includes('sk-secret');
    for (const text of ['{"a":"sk-secret","a":1}', '{"a":"\\u0073k-secret","a":1}']) {
      expect(writtenOut({ text }, undefined, isClean)).toMatchObject({ text: '{"a":1}', exact: false });
    }
    expect(writtenOut({ text: 'sk-secret, no JSON' }, undefined, isClean)).toMatchObject({ text: '', exact: false });
  });
});

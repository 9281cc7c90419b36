import { expect, it } from 'vitest';
import type { ConversationLine } from '../../../protocol/sessions.ts';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { anExchange, aRichSession } from '../traces/sessions/aReader.ts';

const aLine: Omit<ConversationLine, 'number' | 'kind'> = {
  ...{ toolName: null, text: 'Done.', length: 5, outputLength: null, failed: false, files: [] },
};

function aModel(): SessionModel {
  const model = new SessionModel();
  model.exchanges = [anExchange(1), anExchange(2)];
  model.outline([
    { exchangeId: 'exchange-1', kinds: ['instructions', 'prompt', 'tool'] },
    { exchangeId: 'exchange-2', kinds: ['reasoning', 'assistant'] },
  ]);
  return model;
}

it('lists exchanges before their lines are known, then both in order', () => {
  const model = new SessionModel();
  model.exchanges = [anExchange(1), anExchange(2)];
  expect(model.rows().map(row => row.key)).toEqual(['x0', 'x1']);
  expect(model.isOutlined).toBe(false);
  expect(
    aModel()
      .rows()
      .map(row => row.key),
  ).toEqual([
    'x0',
    'exchange-1 instructions 0',
    'exchange-1 prompt 0',
    'exchange-1 tool 0',
    'x1',
    'exchange-2 reasoning 0',
    'exchange-2 assistant 0',
  ]);
  expect(aModel().line('exchange-2 reasoning 0')).toMatchObject({ number: 3, index: 1 });
});

it('begins with the first lines of a session, and keeps what its list said of it until the sums are known', () => {
  const beginning = aRichSession();
  const session = beginning.requireSession('');
  const opening = {
    session: { ...session, exchanges: 1 },
    hasTotals: false,
    exchanges: [anExchange(1)],
    rows: [{ exchangeId: 'exchange-1', kinds: ['prompt' as const] }],
    lines: [],
  };
  const restored = new SessionModel();
  restored.open(opening);
  expect([restored.rows().map(row => row.key), restored.isOutlined, restored.hasTotals]).toEqual([
    ['x0', 'exchange-1 prompt 0'],
    false,
    false,
  ]);
  const listed = new SessionModel();
  listed.session = session;
  listed.open(opening);
  expect(listed.session).toBe(session);
  listed.open({ ...opening, hasTotals: true });
  expect(listed.session).toMatchObject({ exchanges: 1 });
});

it('leaves out what is hidden, also among what was found, and keeps the numbers of the rest', () => {
  const model = aModel();
  model.hits = model.keysOf([0, 2, 4]);
  model.show('context', false);
  model.show('tools', false);
  expect(model.rows().map(row => (row.kind === 'line' ? row.number : row.key))).toEqual(['x0', 1, 'x1', 3, 4]);
  expect(model.shownHits()).toEqual(model.keysOf([4]));
  model.show('tools', true);
  expect(model.shownHits()).toEqual(model.keysOf([2, 4]));
});

it('makes its rows anew only when they change', () => {
  const model = aModel();
  expect(model.rows()).toBe(model.rows());
});

it('keeps what is known of a line where an exchange moves in before it', () => {
  const model = aModel();
  const [tool = '', answer = ''] = model.keysOf([2, 4]);
  const line = { ...aLine, number: 4, kind: 'assistant' } as const;
  model.keep([line, { ...aLine, number: 2, kind: 'prompt' }]);
  model.hits = [tool, answer];
  model.changes.set('exchange-1', null).set('exchange-2', null);
  model.exchanges = [anExchange(1), anExchange(3), anExchange(2)];
  // The exchange between brought the reasoning, which the one behind it only repeats now.
  model.outline([
    { exchangeId: 'exchange-1', kinds: ['instructions', 'prompt', 'tool'] },
    { exchangeId: 'exchange-3', kinds: ['reasoning', 'tool'] },
    { exchangeId: 'exchange-2', kinds: ['assistant'] },
  ]);
  expect([tool, answer].map(key => model.line(key)?.number)).toEqual([2, 5]);
  expect(model.lines).toEqual(new Map([[answer, line]]));
  expect(model.shownHits()).toEqual([tool, answer]);
  // What a request says otherwise than the one before it is asked for again.
  expect([...model.changes.keys()]).toEqual(['exchange-1']);
});

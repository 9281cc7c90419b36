import { expect, it } from 'vitest';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { anExchange, aRichSession } from '../traces/aReader.ts';

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
  ).toEqual(['x0', 'l0', 'l1', 'l2', 'x1', 'l3', 'l4']);
  expect(aModel().exchangeOf(3)).toBe(1);
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
    ['x0', 'l0'],
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
  model.hits = [0, 2, 4];
  model.show('context', false);
  model.show('tools', false);
  expect(model.rows().map(row => row.key)).toEqual(['x0', 'l1', 'x1', 'l3', 'l4']);
  expect(model.shownHits()).toEqual([4]);
  model.show('tools', true);
  expect(model.shownHits()).toEqual([2, 4]);
});

it('makes its rows anew only when they change', () => {
  const model = aModel();
  expect(model.rows()).toBe(model.rows());
});

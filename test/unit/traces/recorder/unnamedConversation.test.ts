import { expect, it } from 'vitest';
import { wholeSession } from '../../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../../server/traces/sessions/sessionReport.ts';
import { anOrigin, aRecorder } from '../recordedTraffic.ts';

const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const hourMs = 3_600_000;
const content = (role: 'user' | 'model', text: string) => ({ role, parts: [{ text }] });
type Content = ReturnType<typeof content>;
const launched = (id: string) =>
  anOrigin({ launch: { id, agent: 'gemini', label: null, trialId: null, replay: false } });

it('of an agent goes on after a pause, and begins anew when it is cleared or resumed elsewhere', () => {
  const { record, store } = aRecorder();
  const ask = (contents: readonly Content[], answer: string, hours: number, launch = 'launch-1') => {
    const reply = { candidates: [{ content: content('model', answer), finishReason: 'STOP' }] };
    const traffic = {
      request: { contents },
      response: JSON.stringify(reply),
      path: '/v1beta/models/m:generateContent',
    };
    const session = record(traffic, startMs + hours * hourMs, launched(launch));
    return { session, list: [...contents, content('model', answer)] };
  };
  const first = ask([content('user', 'One?')], 'One.', 0);
  const second = ask([...first.list, content('user', 'Two?')], 'Two.', 1);
  const cleared = ask([content('user', 'Something else?')], 'Sure.', 2);
  const resumed = ask([...second.list, content('user', 'Three?')], 'Three.', 3, 'launch-2');
  const all = [second, cleared, resumed].map(({ session }) => ({
    isFirst: session === first.session,
    title: store.session(session)?.title,
    turns: reportOf(wholeSession(store, session)).turns,
  }));
  expect(all).toEqual([
    { isFirst: true, title: 'One?', turns: 2 },
    { isFirst: false, title: 'Something else?', turns: 1 },
    { isFirst: false, title: 'Three?', turns: 1 },
  ]);
});

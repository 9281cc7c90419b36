import { describe, expect, it } from 'vitest';
import { type Utterance, utterance } from '../../../../server/traces/dialects/dialect.ts';
import { type SpokenExchange, toConversation } from '../../../../server/traces/storage/conversation.ts';

const system = (text: string) => utterance('system', text);
const user = (text: string) => utterance('user', text);
const model = (text: string) => utterance('assistant', text);

/** An agent that sends its whole list with every request, and adds to it what it asks and what is answered. */
function anAgent() {
  const exchanges: SpokenExchange[] = [];
  const ask = (list: readonly Utterance[], answer: string, instructions = 'You are Opus.') => {
    const said = structuredClone([...list]);
    const exchangeId = `${exchanges.length + 1}`;
    exchanges.push({
      exchangeId,
      instructions: [system(instructions)],
      list: { before: null, said },
      answered: [model(answer)],
    });
    return [...list, model(answer)];
  };
  const said = () => toConversation(exchanges).map(({ exchangeId, text }) => `${exchangeId} ${text}`);
  return { ask, said };
}

describe('what a request repeats', () => {
  it('is not said again under other instructions, as of another model', () => {
    const { ask, said } = anAgent();
    let list = ask([user('One?')], 'One.');
    for (const [question, answer] of [
      ['Two?', 'Two.'],
      ['Three?', 'Three.'],
    ] as const) {
      list = ask([...list, user(question)], answer, 'You are Sonnet.');
    }
    expect(said()).toEqual([
      ...['1 You are Opus.', '1 One?', '1 One.'],
      ...['2 You are Sonnet.', '2 Two?', '2 Two.'],
      ...['3 Three?', '3 Three.'],
    ]);
  });

  it('is not said again when a resumed agent begins with another reminder', () => {
    const { ask, said } = anAgent();
    const [, ...talk] = ask([user('It is Monday.'), user('One?')], 'One.');
    const list = ask([user('It is Tuesday.'), ...talk, user('Two?')], 'Two.', 'You are Opus. Two files changed.');
    ask([...list, user('Three?')], 'Three.', 'You are Opus. Two files changed.');
    expect(said().slice(4)).toEqual([
      ...['2 You are Opus. Two files changed.', '2 It is Tuesday.', '2 Two?', '2 Two.'],
      ...['3 Three?', '3 Three.'],
    ]);
  });

  it('is not said again after a compaction that keeps what was said last, and once more after the next', () => {
    const { ask, said } = anAgent();
    ask([...ask([user('One?')], 'One.'), user('Two?')], 'Two.');
    const list = ask([user('Summary of one.'), user('Two?'), model('Two.'), user('Three?')], 'Three.');
    ask([...list, user('Four?')], 'Four.');
    ask([user('Summary of all.'), model('Three.'), user('Four?'), model('Four.'), user('Five?')], 'Five.');
    expect(said().slice(5)).toEqual([
      ...['3 Summary of one.', '3 Three?', '3 Three.'],
      ...['4 Four?', '4 Four.'],
      ...['5 Summary of all.', '5 Five?', '5 Five.'],
    ]);
  });

  it('is not said again in the forks of a conversation, whatever is asked between', () => {
    const { ask, said } = anAgent();
    const start = ask([user('One?')], 'One.');
    const first = ask([...start, user('Left?')], 'Left.');
    ask([user('Name this.')], 'Name.', 'Be brief.');
    const second = ask([...start, user('Right?')], 'Right.');
    ask([...first, user('More left?')], 'More left.');
    ask([...second, user('More right?')], 'More right.');
    expect(said().filter(line => line.endsWith('?'))).toEqual([
      '1 One?',
      '2 Left?',
      '4 Right?',
      '5 More left?',
      '6 More right?',
    ]);
  });
});

describe('the same words', () => {
  it('count as often as they were said', () => {
    const { ask, said } = anAgent();
    let list = ask([user('Begin.')], 'Begun.');
    for (const answer of ['More.', 'And more.', 'And more.', 'Done.']) list = ask([...list, user('Go on.')], answer);
    expect(said().filter(line => line.endsWith('Go on.'))).toEqual(['2 Go on.', '3 Go on.', '4 Go on.', '5 Go on.']);
    ask([user('Go on.'), user('Go on.'), user('Go on.'), user('Go on.'), user('Go on.')], 'Done.');
    expect(said().filter(line => line === '6 Go on.')).toHaveLength(1);
  });

  it('count when they are said behind a reply, though a compaction dropped where they were said before', () => {
    const { ask, said } = anAgent();
    let list = ask([user('Begin.')], 'Begun.');
    for (const answer of ['More.', 'And more.']) list = ask([...list, user('Go on.')], answer);
    list = ask([user('Summary.'), user('What is left?')], 'The end.');
    list = ask([...list, user('Go on.')], 'Ended.');
    ask([...list, user('Go on.')], 'Still ended.');
    expect(said().filter(line => line.endsWith('Go on.'))).toEqual(['2 Go on.', '3 Go on.', '5 Go on.', '6 Go on.']);
  });
});

import { describe, expect, it } from 'vitest';
import { utterance } from '../../../../server/traces/dialects/dialect.ts';
import { isPrompt } from '../../../../server/traces/sessions/conversationId.ts';
import { promptOfTurn, turnsIn } from '../../../../server/traces/sessions/turns.ts';
import { aRecorder } from '../recordedTraffic.ts';
import { anItem } from './aReader.ts';

const copied = (exchange: number, text: string) => ({
  ...anItem(exchange, 'assistant', text),
  isCopied: true as const,
});

describe('a turn', () => {
  it('is all that a person says in one request', () => {
    const picture = [anItem(1, 'user', 'What is this?'), anItem(1, 'user', '[image]'), anItem(1, 'user', 'And here?')];
    expect(turnsIn([...picture, anItem(1, 'assistant', 'A cat.'), anItem(2, 'user', 'Sure?')])).toBe(2);
  });

  it('goes on where the program puts its own words between, and ends where the model has its say', () => {
    const asked = [anItem(1, 'user', 'One'), anItem(1, 'system', 'More tools.'), anItem(1, 'user', 'two')];
    expect(turnsIn(asked)).toBe(1);
    const meanwhile = [anItem(2, 'toolOutput', 'Done.'), anItem(2, 'user', 'Not that file')];
    expect(turnsIn([...asked, anItem(1, 'assistant', 'Well.'), ...meanwhile])).toBe(2);
  });

  it('is none that a resumed conversation brings along', () => {
    const history = [
      anItem(1, 'user', 'Earlier'),
      copied(1, 'Yes.'),
      anItem(1, 'user', 'Also earlier'),
      copied(1, 'Yes.'),
    ];
    expect(turnsIn([...history, anItem(1, 'user', 'Now'), anItem(1, 'assistant', 'Now.')])).toBe(1);
    const begun = [anItem(1, 'user', 'Answer in JSON.'), copied(1, '{'), anItem(1, 'assistant', '}')];
    expect(turnsIn(begun)).toBe(1);
  });

  it('is no work that a model gives to a subagent', () => {
    const call = anItem(1, 'toolCall', '{"description":"sub","prompt":"Look at the tests."}', { toolName: 'Agent' });
    expect(turnsIn([anItem(1, 'user', 'Look.'), call, anItem(2, 'user', 'Look at the tests.')])).toBe(1);
  });

  it('begins with what is asked behind the history', () => {
    const said = (kind: 'user' | 'assistant' | 'toolOutput', text: string) => utterance(kind, text);
    const history = [said('user', 'First'), said('assistant', 'Yes.')];
    expect(
      promptOfTurn([...history, said('user', '<system-reminder>x'), said('user', 'Now'), said('user', 'please')]),
    ).toBe('Now');
    expect(promptOfTurn([...history, said('toolOutput', 'Done.')])).toBe('First');
    expect(promptOfTurn([said('assistant', 'Hello.')])).toBeNull();
  });
});

describe('the program’s own words', () => {
  it.each([
    'CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n\n- Do NOT use Read',
    '[image]',
    '[Image: source: /repo/pic.png]',
    'Here is the conversation so far:\n\n<conversation>\n[User]: Begin.',
    'Generate a new <state_snapshot> based on the provided history.',
    'Critically evaluate the <state_snapshot> you just generated.',
    'First, reason in your scratchpad. Then, generate the <state_snapshot>.',
    'Managed memory directory: `/home/me/.qwen/projects/x/memory`',
  ])('are no prompt: %j', text => {
    expect(isPrompt(text)).toBe(false);
  });

  it.each([
    '[Image #1] what is in this image?',
    'Here is the conversation so far: we need tests.',
    'Generate a new <state_machine>',
    'CRITICAL: the build fails',
  ])('are not these: %j', text => {
    expect(isPrompt(text)).toBe(true);
  });

  it('are the summary that opens a compressed history', () => {
    const { record, store } = aRecorder();
    const content = (role: 'user' | 'model', ...texts: string[]) => ({ role, parts: texts.map(text => ({ text })) });
    const context = '<session_context>\nThis is the Gemini CLI.\n</session_context>';
    const contents = [
      content('user', context, 'They want a parser.'),
      content('model', 'Got it. Thanks for the additional context!'),
      content('user', 'Go on.'),
    ];
    const reply = { candidates: [{ content: content('model', 'Done.'), finishReason: 'STOP' }] };
    const path = '/v1beta/models/m:generateContent';
    const session = record({ request: { contents }, response: JSON.stringify(reply), path });
    expect(store.conversation(session).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      `user ${context}`,
      'system They want a parser.',
      'assistant Got it. Thanks for the additional context!',
      'user Go on.',
      'assistant Done.',
    ]);
  });
});

import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { ConversationItem } from '../../../../protocol/sessions.ts';
import { type Utterance, utterance } from '../../../../server/traces/dialects/dialect.ts';
import { dialectNamed } from '../../../../server/traces/dialects/index.ts';
import { pairOutputs } from '../../../../server/traces/sessions/toolOutputs.ts';
import {
  keyOf,
  type SpokenExchange,
  type SpokenPart,
  toConversation,
} from '../../../../server/traces/storage/conversation.ts';
import { ItemReader } from '../../../../server/traces/storage/items.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';

interface WholeSpeech {
  readonly exchangeId: string;
  readonly asked: readonly Utterance[];
  readonly answered: readonly Utterance[];
}

/**
 * What a conversation is, by its definition: every request compared as a whole with all that is there. Its items are found
 * one by one, each at a place of its own, in order among those of the same words; a person's words also behind the replies
 * that stand before them. A call without an id is also the same call with one, and then has that id.
 */
function byDefinition(exchanges: Iterable<WholeSpeech>): ConversationItem[] {
  const items: ConversationItem[] = [];
  const keys: Set<string>[] = [];
  for (const { exchangeId, asked, answered } of exchanges) {
    const add = (one: Utterance, isCopied: boolean) => {
      keys.push(new Set([keyOf(one)]));
      return items.push({ exchangeId, ...one, ...(isCopied ? { isCopied: true } : {}) }) - 1;
    };
    const last = new Map<string, number>();
    const taken = new Set<number>();
    let reply = -1;
    for (const one of asked) {
      const key = keyOf(one);
      const isOfTheModel = ['assistant', 'reasoning', 'toolCall'].includes(one.kind);
      const from = Math.max(last.get(key) ?? -1, one.kind === 'user' ? reply : -1) + 1;
      const find = (isSame: (item: ConversationItem, index: number) => boolean) =>
        items.findIndex((item, index) => !taken.has(index) && isSame(item, index));
      let at = find((_, index) => index >= from && keys[index]?.has(key) === true);
      if (at < 0 && one.kind === 'toolCall') {
        at = find(
          (item, index) => index >= from && item.kind === 'toolCall' && item.callId === null && item.text === one.text,
        );
        const item = items[at];
        if (item !== undefined) items[at] = { ...item, callId: one.callId };
        keys[at]?.add(key);
      }
      if (at >= 0 && isOfTheModel && items[at]?.isCopied !== true) reply = Math.max(reply, at);
      if (at < 0) at = add(one, isOfTheModel);
      last.set(key, at);
      taken.add(at);
    }
    for (const one of answered) add(one, false);
  }
  return items;
}

const toWhole = ({ exchangeId, instructions, list, answered }: SpokenExchange): WholeSpeech => {
  const parts: SpokenPart[] = [];
  for (let part = list; part !== null; part = part.before) parts.unshift(part);
  return { exchangeId, asked: [...instructions, ...parts.flatMap(part => part.said)], answered };
};

/** Few different texts: the same is said again, in other places, under other ids. */
const someSaid = fc.array(
  fc
    .record({ kind: fc.constantFrom('user', 'assistant', 'toolCall'), text: fc.constantFrom('a', 'b', 'c', 'd') })
    .chain(({ kind, text }) =>
      fc.constantFrom(null, '1', '2').map(callId => utterance(kind as Utterance['kind'], text, { callId })),
    ),
  { maxLength: 4 },
);

/** How a request goes on: from the list of the one before, from an earlier one (a fork), or anew (a compaction). */
const someRequest = fc.record({
  from: fc.oneof(
    { weight: 4, arbitrary: fc.constant('last' as const) },
    fc.nat({ max: 20 }),
    fc.constant('nothing' as const),
  ),
  instructions: fc.oneof({ weight: 5, arbitrary: fc.constant('Be brief.') }, fc.constantFrom('Be kind.', null)),
  adds: someSaid,
  repeatsReply: fc.boolean(),
  answered: someSaid,
});

const someSession = fc.array(someRequest, { maxLength: 14 }).map(requests => {
  const parts: SpokenPart[] = [];
  let reply: readonly Utterance[] = [];
  return requests.map(({ from, instructions, adds, repeatsReply, answered }, index): SpokenExchange => {
    const before = from === 'nothing' ? null : (parts.at(from === 'last' ? -1 : from % (parts.length || 1)) ?? null);
    const list: SpokenPart = { before, said: [...(repeatsReply ? structuredClone(reply) : []), ...adds] };
    parts.push(list);
    reply = answered;
    const system = instructions === null ? [] : [utterance('system', instructions)];
    return { exchangeId: `${index}`, instructions: system, list, answered };
  });
});

describe('a conversation', () => {
  it('is what comparing every whole request gives, also with forks and compactions', () => {
    fc.assert(
      fc.property(someSession, exchanges => {
        expect(toConversation(exchanges)).toEqual(byDefinition(exchanges.map(toWhole)));
      }),
      { numRuns: 2000 },
    );
  });

  it('has a call once that its API gave no id, whatever id the agent gives it and however it writes its arguments', () => {
    const call = (text: string, callId: string | null = null) =>
      utterance('toolCall', text, { toolName: 'exec', callId });
    const output = (text: string, callId: string | null = null) => utterance('toolOutput', text, { callId });
    const reply = [call('{"cmd": "ls"}'), call('{"cmd": "ls"}'), call('{"cmd": "pwd"}')];
    const asked = (...said: Utterance[]): SpokenPart => ({ before: null, said: [utterance('user', 'Look.'), ...said] });
    for (const ids of [
      ['own-1', 'own-2', 'own-3'],
      [null, null, null],
    ]) {
      const again = ['ls', 'ls', 'pwd'].map((cmd, index) => call(JSON.stringify({ cmd }), ids[index] ?? null));
      // In another order than the calls, where ids tell which is which.
      const places = ids[0] === null ? [0, 1, 2] : [2, 0, 1];
      const outputs = places.map(index => output(`output ${index}`, ids[index] ?? null));
      const items = toConversation([
        { exchangeId: '1', instructions: [], list: asked(), answered: reply },
        { exchangeId: '2', instructions: [], list: asked(...again, ...outputs), answered: [] },
        { exchangeId: '3', instructions: [], list: asked(...again, ...outputs), answered: [] },
      ]);
      expect(items.map(({ kind }) => kind)).toEqual([
        'user',
        ...Array(3).fill('toolCall'),
        ...Array(3).fill('toolOutput'),
      ]);
      expect(items.slice(1, 4).map(({ callId }) => callId)).toEqual(ids);
      const pairs = pairOutputs(items);
      expect(items.slice(1, 4).map(item => pairs.get(item)?.text)).toEqual(['output 0', 'output 1', 'output 2']);
    }
  });

  it('is read from the database as from the whole requests', () => {
    const edit = fc.oneof(
      { weight: 4, arbitrary: fc.constant('goOn' as const) },
      fc.constantFrom('fork' as const, 'compact' as const, 'insert' as const, 'otherInstructions' as const),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('responses', 'messages', 'chat', 'gemini', 'codeAssist'),
        fc.array(edit, { maxLength: 8 }),
        (format, edits) => {
          const { record, store, stop } = aRecorder();
          recordSession(record, format, edits);
          const whole = [...store.wholeExchanges('thread-1')].map(({ exchange, request, response }) => {
            const dialect = dialectNamed(exchange.dialect);
            return {
              exchangeId: exchange.id,
              asked: dialect?.asked(request) ?? [],
              answered: dialect?.answered(response) ?? [],
            };
          });
          expect(whole.length).toBe(edits.length + 1);
          expect(store.conversation('thread-1')).toEqual(byDefinition(whole));
          stop();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('looks at what each request adds, not at the conversation again', () => {
    let reads = 0;
    let list: SpokenPart | null = null;
    const exchanges = Array.from({ length: 300 }, (_, index): SpokenExchange => {
      const own = [utterance('user', `question ${index}`)];
      const before = list;
      list = {
        before,
        get said() {
          reads++;
          return own;
        },
      };
      return { exchangeId: `${index}`, instructions: [utterance('system', 'Be brief.')], list, answered: [] };
    });
    expect(toConversation(exchanges)).toHaveLength(301);
    // Once when it is added, once when the next request repeats it.
    expect(reads).toBeLessThanOrEqual(600);
  });

  it('takes what was stored once out of the database once', () => {
    const { record, store } = aRecorder();
    const input = [said('user', `Begin. ${'x'.repeat(300)}`)];
    const count = 60;
    for (let index = 0; index < count; index++) {
      const answer = said('assistant', `Answer ${index} ${'x'.repeat(300)}`);
      const headers = { 'thread-id': 'thread-1' };
      record(
        { request: { model: 'm', instructions: 'y'.repeat(400), input }, response: aReply([answer]), headers },
        index,
      );
      input.push(answer, said('user', `Question ${index} ${'x'.repeat(300)}`));
    }
    const read = vi.spyOn(ItemReader.prototype, 'text');
    expect(store.conversation('thread-1')).toHaveLength(2 * count + 1);
    // Of each exchange the list's node, the question, the answer, as replied and as repeated.
    expect(read.mock.calls.length).toBeLessThanOrEqual(5 * count);
    read.mockRestore();
  });
});

type Edit = 'goOn' | 'fork' | 'compact' | 'insert' | 'otherInstructions';

const paths = {
  responses: '/v1/responses',
  messages: '/v1/messages',
  chat: '/v1/chat/completions',
  gemini: '/v1beta/models/m:generateContent',
  codeAssist: '/v1internal:generateContent',
};

/** The same dialogue in any of the formats: each request repeats it, changed by an edit. */
function recordSession(record: ReturnType<typeof aRecorder>['record'], format: string, edits: readonly Edit[]): void {
  const long = 'x'.repeat(200);
  let dialogue = [message('user', 'Begin.')];
  let instructions = 'Be brief.';
  for (const [index, edit] of (['goOn', ...edits] as const).entries()) {
    if (edit === 'fork') dialogue = dialogue.slice(0, Math.ceil(dialogue.length / 2));
    if (edit === 'compact') dialogue = [...dialogue.slice(0, 1), message('user', `Summary ${index} ${long}`)];
    if (edit === 'insert') dialogue = dialogue.toSpliced(1, 0, message('user', `Reminder ${index}`));
    if (edit === 'otherInstructions') instructions = `Be ${index}. ${long}`;
    // Every second text is large enough to be stored apart, and some come again.
    const answer = message('assistant', `Answer ${index % 3} ${index % 2 === 0 ? long : ''}`);
    record(
      {
        request: requestOf(format, instructions, dialogue),
        response: replyOf(format, answer.content),
        path: paths[format as keyof typeof paths],
        headers: { 'thread-id': 'thread-1', 'x-claude-code-session-id': 'thread-1' },
      },
      1000 + index,
    );
    dialogue = [...dialogue, answer, message('user', `Question ${index % 4}`)];
  }
}

function message(role: 'user' | 'assistant', content: string) {
  return { role, content };
}

function requestOf(format: string, instructions: string, dialogue: readonly ReturnType<typeof message>[]): object {
  if (format === 'responses') return { model: 'm', instructions, input: dialogue };
  if (format === 'messages') return { model: 'm', system: instructions, messages: dialogue };
  if (format === 'gemini' || format === 'codeAssist') {
    const contents = dialogue.map(({ role, content }) => toContent(role, content));
    const request = { systemInstruction: toContent('user', instructions), contents };
    return format === 'gemini' ? request : { model: 'm', request };
  }
  return { model: 'm', messages: [{ role: 'system', content: instructions }, ...dialogue] };
}

function toContent(role: string, text: string) {
  return { role: role === 'assistant' ? 'model' : 'user', parts: [{ text }] };
}

function replyOf(format: string, text: string): string {
  if (format === 'responses') return aReply([said('assistant', text)]);
  if (format === 'messages') return JSON.stringify({ id: 'm', content: [{ type: 'text', text }] });
  if (format === 'gemini' || format === 'codeAssist') {
    const response = { candidates: [{ content: toContent('assistant', text), finishReason: 'STOP' }] };
    return JSON.stringify(format === 'gemini' ? response : { response });
  }
  return JSON.stringify({ id: 'c', choices: [{ message: { role: 'assistant', content: text } }] });
}

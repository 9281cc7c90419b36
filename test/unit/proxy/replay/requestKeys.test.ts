import { expect, it } from 'vitest';
import { normaliseRequest } from '../../../../server/proxy/replay/conversationKey.ts';
import { keyOf, type RequestKey, sharedLength, trailOf } from '../../../../server/proxy/replay/requestKey.ts';
import { RequestKeys } from '../../../../server/proxy/replay/requestKeys.ts';
import { dialectNamed } from '../../../../server/traces/dialects/index.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import type { TraceStore } from '../../../../server/traces/store.ts';
import { aRecorder, aReply, said, type Traffic } from '../../traces/recordedTraffic.ts';

const thread = { 'thread-id': 'thread-1' };
const inDirectory = (cwd: string) => said('user', `<environment_context><cwd>${cwd}</cwd></environment_context>`);
const output = (n: number, text: string) => ({ type: 'function_call_output', call_id: `c${n}`, output: text });
const long = 'long enough to be stored apart '.repeat(10);

function asResponses(): Traffic[] {
  const steps: object[][] = [
    [inDirectory('/work/one'), said('user', `Begin ${long}`)],
    [{ type: 'reasoning', summary: [] }, output(1, `in /work/one: ${long}`)],
    [{ type: 'additional_tools', tools: [{ type: 'function', name: 'late' }] }, output(2, 'ls /work/two')],
    [inDirectory('/work/two'), said('assistant', 'ok'), said('user', `${long} in /work/two`)],
    [{ type: 'compaction', encrypted_content: long }, said('user', '<system-reminder>Now</system-reminder>')],
  ];
  const list: object[] = [];
  const requests = steps.map(step => {
    list.push(...step);
    return { model: 'm', instructions: `Be brief in /work/one. ${long}`, input: [...list] };
  });
  const [first] = requests;
  const more = [
    { ...first, tools: [{ type: 'function', name: 'exec' }] },
    { model: 'm', input: 'Alone' },
  ];
  const silent = { model: 'm', input: [{ type: 'reasoning', summary: [] }] };
  return [...requests, ...more, silent, { model: 'm', input: [] }].map(request => ({ request, response: aReply([]) }));
}

function asOthers(): Traffic[] {
  const turn = (role: string, text: string) => ({ role, content: `${text} ${long}` });
  const chat = [
    turn('system', 'Working directory: /work/one\n'),
    turn('user', 'Hello in /work/one'),
    turn('assistant', 'Hi'),
    turn('user', 'Go on'),
  ];
  const parts = (role: string, text: string) => ({ role, parts: [{ text: `${text} ${long}` }] });
  const place = "This is the Gemini CLI. We are setting up it.\nI'm currently working in the directory: /work/three\n";
  const contents = [
    parts('user', place),
    parts('user', 'Hello in /work/three'),
    parts('model', 'Hi'),
    parts('user', 'Go on'),
  ];
  const gemini = JSON.stringify({ candidates: [{ finishReason: 'STOP', content: { parts: [{ text: 'x' }] } }] });
  return [2, 3, 4].flatMap(length => [
    { path: '/v1/chat/completions', request: { messages: chat.slice(0, length) }, response: '{"choices":[]}' },
    {
      path: '/v1/messages',
      request: { system: ` - Primary working directory: /work/two\n${long}`, messages: chat.slice(1, length) },
      response: '{"content":[]}',
    },
    {
      path: '/v1internal:generateContent',
      request: { model: 'g', request: { contents: contents.slice(0, length), tools: [{}] } },
      response: gemini,
    },
  ]);
}

const plain = ({ operation, offersTools, said: { length, end }, context }: RequestKey) => ({
  ...{ operation, offersTools, length, end, context },
});

function* keysIn(store: TraceStore, redactor: Redactor) {
  const clean = (value: unknown) => redactor.json(value);
  const keys = new RequestKeys({ anyPrompt: false, clean });
  for (const outlined of store.requests('thread-1')) {
    const { dialect: name, url, id } = outlined.exchange;
    const dialect = dialectNamed(name);
    if (dialect === null) throw new Error(name);
    const whole = normaliseRequest(dialect, url, clean(store.wholeExchange(id)?.request), false);
    yield { key: keys.of(dialect, url, outlined), whole };
  }
}

it.each([
  ['the Responses API', asResponses(), 5 + 1, ['/work/one', '/work/two']],
  ['others', asOthers(), 9, ['/work/one', '/work/three', '/work/two']],
])('the key of a stored request of %s is that of the whole of it', (_api, traffic, told, inDirectories) => {
  const { record, store } = aRecorder();
  for (const [index, each] of traffic.entries()) record({ ...each, headers: thread }, index);
  let count = 0;
  const directories = new Set<string | null>();
  for (const { key, whole } of keysIn(store, new Redactor())) {
    if (key === null) continue;
    count++;
    expect({ ...plain(key), cwd: key.cwd }).toEqual({ ...plain(keyOf(whole)), cwd: whole.cwd });
    directories.add(key.cwd);
  }
  expect([count, [...directories].sort()]).toEqual([told, inDirectories]);
});

it('keys cost what each request adds, however long the conversation is', () => {
  const { record, store } = aRecorder();
  const list: object[] = [said('user', 'Begin')];
  for (let n = 0; n < 60; n++) {
    record({ request: { model: 'm', input: [...list] }, response: aReply([]), headers: thread }, n);
    list.push(output(n, `${n} ${'long '.repeat(200)}`));
  }
  let characters = 0;
  const keys = new RequestKeys({
    anyPrompt: false,
    clean: value => {
      characters += JSON.stringify(value).length;
      return value;
    },
  });
  const dialect = dialectNamed('responses');
  for (const outlined of store.requests('thread-1')) if (dialect !== null) keys.of(dialect, '/v1/responses', outlined);
  expect(characters).toBeLessThan(3 * JSON.stringify(list).length);
});

it('two trails share what is the same from their begin', () => {
  const trail = trailOf(['c', 'd'], trailOf(['b'], trailOf(['a'])));
  const shares = [
    [],
    ['a'],
    ['a', 'b', 'x', 'd'],
    ['a', 'b', 'c', 'd'],
    ['a', 'b', 'c', 'd', 'e'],
    ['x', 'b', 'c', 'd'],
  ];
  expect(shares.map(lines => sharedLength(trail, trailOf(lines)))).toEqual([0, 1, 2, 4, 4, 0]);
  expect(trailOf(['a', 'b', 'c', 'd']).end).toBe(trail.end);
});

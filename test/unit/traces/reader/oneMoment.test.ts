import Database from 'better-sqlite3';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ExportFormat } from '../../../../protocol/sessions.ts';
import { openReadings } from '../../../../server/traces/reader/readings.ts';
import { SearchIndex } from '../../../../server/traces/search/searchIndex.ts';
import { TraceStore } from '../../../../server/traces/store.ts';
import { Retention } from '../../../../server/traces/upkeep/retention.ts';
import { aRecorder, aReply, said } from '../recordedTraffic.ts';

const inputTokens = 10;

function aSession() {
  const recorder = aRecorder();
  const history: object[] = [];
  const say = (text: string) => {
    history.push(said('user', `${text} ${'long enough to be stored apart '.repeat(10)}`));
    const request = { model: 'm', input: [...history] };
    recorder.record({ request, response: aReply([said('assistant', 'Yes.')]), headers: { 'thread-id': 's' } });
  };
  for (const text of ['One', 'Two', 'Three']) say(text);
  const { readings, close } = openReadings({ tracesDb: recorder.file, codexDirectories: [] });
  onTestFinished(close);
  const exported = async (format: ExportFormat) => {
    const request = { sessionId: 's', format, force: false, content: false };
    return (await readings.export(request, AbortSignal.timeout(10_000))).text ?? '';
  };
  return { ...recorder, say, readings, exported };
}

/** Something happens in the middle of a reading: before it asks for a session's exchanges. */
function meanwhile(work: () => void) {
  const { exchangesOfSession } = TraceStore.prototype;
  vi.spyOn(TraceStore.prototype, 'exchangesOfSession').mockImplementation(function (this: TraceStore, id) {
    work();
    return exchangesOfSession.call(this, id);
  });
  onTestFinished(() => void vi.restoreAllMocks());
}

function deleteAll(file: string): void {
  const database = new Database(file);
  const retention = new Retention(database, new SearchIndex(database), () => undefined);
  for (const steps = retention.prune({ kind: 'all' }); !steps.next().done; );
  database.close();
}

type World = ReturnType<typeof aSession>;

const readingsOf: readonly [
  name: string,
  read: (world: World) => Promise<{ total: number | null; exchanges: number }>,
][] = [
  [
    'show',
    async ({ readings }) => {
      const { session, exchanges, conversation } = await readings.show({ sessionId: 's' });
      expect(conversation.filter(({ kind }) => kind === 'user')).toHaveLength(exchanges.length);
      return { total: session.usage.inputTokens, exchanges: exchanges.length };
    },
  ],
  [
    'exchanges',
    async ({ readings }) => {
      const { session, exchanges } = await readings.exchanges({ sessionId: 's' });
      return { total: session.usage.inputTokens, exchanges: exchanges.length };
    },
  ],
  [
    'opening',
    async ({ readings }) => {
      const { session, exchanges } = await readings.opening({ sessionId: 's' });
      return { total: session.usage.inputTokens, exchanges: exchanges.length };
    },
  ],
  [
    'summary',
    async ({ readings }) => {
      const { session, turns } = await readings.summary({ sessionId: 's' });
      return { total: session.usage.inputTokens, exchanges: turns };
    },
  ],
  [
    'the format clean',
    async ({ exported }) => {
      const { usage, exchanges } = JSON.parse(await exported('clean'));
      return { total: usage.inputTokens, exchanges: exchanges.length };
    },
  ],
  [
    'the format atif',
    async ({ exported }) => {
      const { steps, final_metrics: metrics } = JSON.parse(await exported('atif'));
      const replies = steps.filter((step: { source: string }) => step.source === 'agent');
      return { total: metrics.total_prompt_tokens, exchanges: replies.length };
    },
  ],
  [
    'the format otlp',
    async ({ exported }) => {
      const [agent, ...chats] = JSON.parse(await exported('otlp')).resourceSpans[0].scopeSpans[0].spans;
      const tokens = agent.attributes.find(({ key }: { key: string }) => key === 'gen_ai.usage.input_tokens');
      return { total: Number(tokens.value.intValue), exchanges: chats.length };
    },
  ],
];

it.each(readingsOf)('reads of one moment what is recorded meanwhile: %s', async (_name, read) => {
  const world = aSession();
  meanwhile(() => world.say('More'));
  const { total, exchanges } = await read(world);
  expect(total).toBe(exchanges * inputTokens);
});

it.each(readingsOf)('reads whole what is deleted meanwhile, and after that nothing: %s', async (_name, read) => {
  const world = aSession();
  meanwhile(() => deleteAll(world.file));
  expect(await read(world)).toEqual({ total: 3 * inputTokens, exchanges: 3 });
  await expect(read(world)).rejects.toMatchObject({ code: 'session.missing' });
});

import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { ConversationItem, Exchange } from '../../../../../protocol/sessions.ts';
import { exportSession } from '../../../../../server/traces/exports/exportSession.ts';
import { otelNames, providerOf } from '../../../../../server/traces/exports/otlp/names.ts';
import { toOtlp } from '../../../../../server/traces/exports/otlp/otlp.ts';
import { temporaryDirectory } from '../../../../temporary.ts';
import { anExchange, anItem, aReader, aRichSession } from '../../sessions/aReader.ts';

const never = new AbortController().signal;

/** OTLP/JSON as a collector takes it: nothing unknown, ids in hex of their length, 64-bit numbers as texts. */
const Value: z.ZodType = z.lazy(() =>
  z.union([
    z.strictObject({ stringValue: z.string() }),
    z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
    z.strictObject({ doubleValue: z.number() }),
    z.strictObject({ boolValue: z.boolean() }),
    z.strictObject({ arrayValue: z.strictObject({ values: z.array(Value) }) }),
  ]),
);
const attributes = z.array(z.strictObject({ key: z.string().min(1), value: Value }));
const nano = z.string().regex(/^\d{19}$/);
const Span = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: nano,
  endTimeUnixNano: nano,
  attributes,
  status: z.strictObject({ code: z.union([z.literal(0), z.literal(1), z.literal(2)]), message: z.string().optional() }),
});
const Traces = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes }),
      scopeSpans: z.array(
        z.strictObject({ scope: z.strictObject({ name: z.string(), version: z.string() }), spans: z.array(Span) }),
      ),
    }),
  ),
});
type Span = z.infer<typeof Span>;

/** A collector on a free port that answers `status` and keeps what it was sent. */
async function aCollector(status = 200, answer = '{}') {
  const received: { type: string | undefined; path: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => {
      received.push({ type: request.headers['content-type'], path: request.url, body });
      response.writeHead(status, { 'content-type': 'application/json' }).end(answer);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { received, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces` };
}

async function spansOf(content: boolean): Promise<Span[]> {
  const { received, endpoint } = await aCollector();
  const request = { sessionId: 'session-1', format: 'otlp', force: false, endpoint, content } as const;
  const outcome = await exportSession(aRichSession(), request, never);
  expect(received.map(({ type, path }) => [type, path])).toEqual([['application/json', '/v1/traces']]);
  expect(outcome).toEqual({ written: endpoint, sizeBytes: Buffer.byteLength(received[0]?.body ?? ''), text: null });
  return Traces.parse(JSON.parse(received[0]?.body ?? '')).resourceSpans.flatMap(resource =>
    resource.scopeSpans.flatMap(scope => scope.spans),
  );
}

const attributeOf = (span: Span | undefined, key: string): unknown => {
  const value = span?.attributes.find(attribute => attribute.key === key)?.value;
  return value === undefined ? undefined : Object.values(value as object)[0];
};

describe('OpenTelemetry spans', () => {
  it('reach a collector as one agent span over its chats and tools, with the conventions’ names', async () => {
    const spans = await spansOf(false);
    const [root, ...others] = spans;
    expect(spans.map(span => span.name)).toEqual([
      'invoke_agent codex',
      'chat gpt-5.5',
      'execute_tool exec_command',
      'chat gpt-5.5',
      'execute_tool apply_patch',
      'execute_tool exec_command',
      'chat gpt-5.5',
      'chat gpt-5.5',
    ]);
    expect(root?.parentSpanId).toBeUndefined();
    // One of its exchanges has no price.
    expect(attributeOf(root, 'codex_coach.cost_usd')).toBeUndefined();
    expect(others.every(span => span.parentSpanId === root?.spanId && span.traceId === root?.traceId)).toBe(true);
    expect(new Set(spans.map(span => span.spanId)).size).toBe(spans.length);
    expect(spans.every(span => BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano))).toBe(true);
    const chat = spans[3];
    expect(Object.fromEntries(chat?.attributes.map(({ key }) => [key, attributeOf(chat, key)]) ?? [])).toEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.conversation.id': 'session-1',
      'gen_ai.request.model': 'gpt-5.5',
      'gen_ai.usage.input_tokens': '2000',
      'gen_ai.usage.cache_read.input_tokens': '900',
      'gen_ai.usage.output_tokens': '50',
      'gen_ai.usage.reasoning.output_tokens': '10',
      'codex_coach.cost_usd': 0.01,
      'codex_coach.time_to_first_byte_ms': '1002',
      'server.address': 'api.openai.com',
      'http.response.status_code': '200',
    });
  });

  it('say that an exchange failed, and leave out figures that nobody reported', async () => {
    const failed = (await spansOf(false))[6];
    expect(failed?.status).toEqual({ code: 2, message: 'Rate limit reached for gpt-5.5.' });
    expect(attributeOf(failed, 'error.type')).toBe('429');
    expect(attributeOf(failed, 'gen_ai.usage.input_tokens')).toBeUndefined();
  });

  it('hold what was said only when asked', async () => {
    expect(JSON.stringify(await spansOf(false))).not.toContain('Refunds');
    const spans = await spansOf(true);
    expect(JSON.parse(String(attributeOf(spans[1], 'gen_ai.input.messages'))).at(-1)).toMatchObject({
      role: 'user',
      parts: [{ type: 'text', content: expect.stringContaining('Refunds in JPY') }],
    });
    expect(attributeOf(spans[2], 'gen_ai.tool.call.result')).toContain('refund.ts:41');
  });

  it('have as input what a resumed session brought along, and no span of its tools', () => {
    const items = [
      anItem(1, 'user', 'First?'),
      { ...anItem(1, 'assistant', 'Old answer'), isCopied: true as const },
      { ...anItem(1, 'toolCall', '{}', { toolName: 'sh', callId: 'c1' }), isCopied: true as const },
      anItem(1, 'toolOutput', 'done', { callId: 'c1' }),
      anItem(1, 'user', 'Second?'),
      anItem(1, 'assistant', 'New answer'),
    ];
    const [, chat, ...others] = toOtlp(aReader([anExchange(1)], items), 'session-1', true).resourceSpans.flatMap(
      resource => resource.scopeSpans.flatMap(scope => scope.spans),
    );
    const messages = (key: string) => JSON.parse(String(attributeOf(Span.parse(chat), key)));
    expect(messages('gen_ai.input.messages').map((message: { role: string }) => message.role)).toEqual([
      'user',
      'assistant',
      'assistant',
      'tool',
      'user',
    ]);
    expect(messages('gen_ai.output.messages')).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'New answer' }], finish_reason: 'stop' },
    ]);
    expect(others).toEqual([]);
  });

  it('say of each reply why it ended: as its API does, else by what it holds', () => {
    const called = anItem(1, 'toolCall', '{}', { toolName: 'sh', callId: 'c1' });
    const reasonOf = (changes: Partial<Exchange>, item: ConversationItem, reply?: object) => {
      const replies = new Map(reply === undefined ? [] : [['exchange-1', reply]]);
      const reader = aReader([anExchange(1, changes)], [item], {}, replies);
      const [, chat] = toOtlp(reader, 'session-1', true).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
      return JSON.parse(String(attributeOf(Span.parse(chat), 'gen_ai.output.messages')))[0].finish_reason;
    };
    expect(reasonOf({}, anItem(1, 'assistant', 'Hi'), { stop_reason: 'max_tokens' })).toBe('max_tokens');
    expect(reasonOf({}, anItem(1, 'assistant', 'Hi'))).toBe('stop');
    expect(reasonOf({}, called)).toBe('tool_call');
    expect(reasonOf({ error: 'The connection broke.' }, called)).toBe('error');
  });

  it('are the same when a session is exported again', async () => {
    expect(await spansOf(true)).toEqual(await spansOf(true));
  });

  it('are reported as refused when the collector refuses them, in whole or in part', async () => {
    for (const [status, answer, words] of [
      [404, '', 'it answered 404'],
      [307, '', 'unexpected redirect'],
      [200, '{"partialSuccess":{"rejectedSpans":"3"}}', 'it rejected 3 of them'],
    ] as const) {
      const { endpoint } = await aCollector(status, answer);
      const request = { sessionId: 'session-1', format: 'otlp', force: false, endpoint, content: false } as const;
      await expect(exportSession(aRichSession(), request, never)).rejects.toMatchObject({
        code: 'export.failed',
        message: expect.stringContaining(words),
      });
    }
  });

  it('go to a file that only its owner reads, which is not overwritten unasked', async () => {
    const directory = join(temporaryDirectory(), 'new');
    mkdirSync(directory);
    const output = join(directory, 'spans.json');
    const request = { sessionId: 'session-1', format: 'otlp', force: false, output, content: false } as const;
    await exportSession(aRichSession(), request, never);
    Traces.parse(JSON.parse(readFileSync(output, 'utf8')));
    await expect(exportSession(aRichSession(), request, never)).rejects.toMatchObject({ code: 'input.invalid' });
    await exportSession(aRichSession(), { ...request, force: true }, never);
  });

  it('name each provider and each attribute once', () => {
    expect(['api.anthropic.com', 'chatgpt.com', 'localhost'].map(providerOf)).toEqual([
      'anthropic',
      'openai',
      'localhost',
    ]);
    expect(new Set(Object.values(otelNames)).size).toBe(Object.keys(otelNames).length);
  });
});

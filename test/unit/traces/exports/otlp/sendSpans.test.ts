import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { OtlpTraces } from '../../../../../server/traces/exports/otlp/encoding.ts';
import { toOtlp } from '../../../../../server/traces/exports/otlp/otlp.ts';
import { bodiesOf, sendSpans } from '../../../../../server/traces/exports/otlp/sendSpans.ts';
import { aRichSession } from '../../sessions/aReader.ts';

const never = new AbortController().signal;
const hasty = { withinMs: 300, pauseMs: 10 };
const patient = { withinMs: 10_000, pauseMs: 10 };
const spansOf = (traces: OtlpTraces) =>
  traces.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans).flatMap(scope => scope.spans);

/** A collector that gives these answers one after the other, then 200; it takes bodies of `mostBytes`. */
async function aCollector(answers: readonly [status: number, retryAfter?: string][], mostBytes = Infinity) {
  const received: string[] = [];
  const times: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', chunk => (body += String(chunk)));
    request.on('end', () => {
      const [status, retryAfter] = answers[times.length] ?? [body.length > mostBytes ? 413 : 200];
      times.push(Date.now());
      if (status === 200) received.push(body);
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end('{}');
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  return { received, times, endpoint };
}

/** The address of a collector that answers 200 and what `answer` writes. */
async function answering(answer: (response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => request.resume().once('end', () => answer(response)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
}

describe('spans on their way', () => {
  it('stand in one body where they fit, and in as few as it takes where they don’t', () => {
    const traces = toOtlp(aRichSession(), 'session-1', true);
    const whole = JSON.stringify(traces);
    expect([...bodiesOf(traces, Buffer.byteLength(whole))]).toEqual([whole]);
    for (const mostBytes of [1, 2000, 6000]) {
      const bodies = [...bodiesOf(traces, mostBytes)].map(body => ({ body, traces: JSON.parse(body) as OtlpTraces }));
      expect(bodies.flatMap(each => spansOf(each.traces))).toEqual(spansOf(traces));
      for (const { body, traces: part } of bodies) {
        expect(part.resourceSpans[0]?.resource).toEqual(traces.resourceSpans[0]?.resource);
        expect(spansOf(part).length === 1 || Buffer.byteLength(body) <= mostBytes).toBe(true);
      }
      for (const [index, { body }] of bodies.slice(1).entries()) {
        expect(Buffer.byteLength(bodies[index]?.body ?? '') + Buffer.byteLength(body)).toBeGreaterThan(mostBytes);
      }
    }
  });

  it('reach a collector that takes no large body', async () => {
    const { received, endpoint } = await aCollector([], 6000);
    const traces = toOtlp(aRichSession(), 'session-1', true);
    const sizeBytes = await sendSpans(endpoint, bodiesOf(traces, 6000), never, patient);
    expect(received.length).toBeGreaterThan(1);
    expect(sizeBytes).toBe(received.reduce((sum, body) => sum + Buffer.byteLength(body), 0));
    expect(received.flatMap(body => spansOf(JSON.parse(body)))).toEqual(spansOf(traces));
  });

  it('are sent again when the collector has no time, not before it says so', async () => {
    const { received, times, endpoint } = await aCollector([[429, '1'], [503], [502], [504]]);
    await sendSpans(endpoint, ['{}'], never, patient);
    expect(received).toEqual(['{}']);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(950);
  });

  it('are given up where the collector asks for more time than there is, and nobody is sent to mend the URL', async () => {
    for (const retryAfter of ['60', new Date(Date.now() + 60_000).toUTCString()]) {
      const { times, endpoint } = await aCollector(Array(99).fill([503, retryAfter]));
      await expect(sendSpans(endpoint, ['{}'], never, hasty)).rejects.toMatchObject({
        code: 'export.failed',
        message: expect.stringContaining('it answered 503'),
        hint: expect.not.stringContaining('URL'),
      });
      expect(times).toHaveLength(1);
    }
    const { times, endpoint } = await aCollector(Array(99).fill([503]));
    await expect(sendSpans(endpoint, ['{}'], never, hasty)).rejects.toMatchObject({ code: 'export.failed' });
    expect(times.length).toBeGreaterThan(2);
  });

  it('are not sent again where that helps nothing: the hint says what does', async () => {
    for (const [status, words] of [
      [404, 'URL'],
      [413, '--content'],
    ] as const) {
      const { times, endpoint } = await aCollector([[status]]);
      const sent = sendSpans(endpoint, ['{}'], never, hasty);
      await expect(sent).rejects.toMatchObject({ code: 'export.failed', hint: expect.stringContaining(words) });
      expect(times).toHaveLength(1);
    }
  });

  it('are taken only where the whole answer says so', async () => {
    const wrong = 'it answered 200 with something else than a collector does';
    for (const [answer, words] of [
      ['', null],
      ['\n', null],
      ['{}', null],
      ['{"partialSuccess":{}}', null],
      ['{"partialSuccess":null}', null],
      ['{"partialSuccess":{"rejectedSpans":"0","errorMessage":"use the newer endpoint"}}', null],
      ['{"partialSuccess":{"rejectedSpans":3}}', 'it rejected 3 of them'],
      ['{"partialSuccess":{"errorMessage":"all full","rejectedSpans":"12"}}', 'it rejected 12 of them'],
      ['{"partialSuccess":{"rejectedSpans":"many"}}', wrong],
      ['<!doctype html><title>Sign in</title>', wrong],
      ['"ok"', wrong],
      // Three of them, in Protocol Buffers.
      ['\n\u0002\b\u0003', wrong],
    ] as const) {
      const sent = sendSpans(await answering(response => response.end(answer)), ['{}'], never, patient);
      if (words === null) expect(await sent).toBe(2);
      else await expect(sent).rejects.toMatchObject({ code: 'export.failed', message: expect.stringContaining(words) });
    }
  });

  it('are not taken where the answer breaks off, or stops half-way', async () => {
    const broken = await answering(response => response.write('{', () => response.destroy()));
    const stalled = await answering(response => response.write('{'));
    for (const endpoint of [broken, stalled]) {
      await expect(sendSpans(endpoint, ['{}'], never, hasty)).rejects.toMatchObject({ code: 'export.failed' });
    }
  });

  it('wait no longer once the person cancels', async () => {
    const { endpoint } = await aCollector([[503, '2']]);
    const cancel = new AbortController();
    const sent = sendSpans(endpoint, ['{}'], cancel.signal, { withinMs: 30_000, pauseMs: 10 });
    setTimeout(() => cancel.abort(new Error('cancelled')), 100);
    const startMs = Date.now();
    await expect(sent).rejects.toThrow('cancelled');
    expect(Date.now() - startMs).toBeLessThan(1500);
  });
});

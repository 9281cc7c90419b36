import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ExportFormat, ExportFormat as formats } from '../../../protocol/sessions.ts';
import { createLog } from '../../../server/base/log.ts';
import { KnownValues } from '../../../server/base/redact/knownValues.ts';
import { exportSession } from '../../../server/traces/exports/exportSession.ts';
import type { TraceStore } from '../../../server/traces/store.ts';
import { startFakeUpstream } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { anOrigin, aRecorder, aReply, said, sse, wireOf } from '../../unit/traces/recordedTraffic.ts';
import { runRealCodex } from '../proxy/realCodex.ts';
import { aRecordingWorld } from '../proxy/recordingWorld.ts';

/** Secrets of this run: what a search finds of them was written by us and by nothing before. */
function canaries() {
  const random = (bytes: number) => randomBytes(bytes).toString('hex');
  const values = {
    header: `sk-ant-oat01-${random(24)}`,
    apiKeyHeader: random(16),
    query: random(16),
    body: `sk-proj-${random(24)}`,
    field: random(12),
    split: `sk-${random(24)}`,
    output: `ghp_${random(18)}`,
    dotEnv: `${random(10)}z`,
    dotted: `hunter.${random(4)}.secretV${random(3)}`,
    digits: `9${Array.from(randomBytes(14), byte => byte % 10).join('')}`,
    dollars: `p4$$w0rd!${random(6)}`,
    conversation: `sk-${random(20)}`,
    base64: `glpat-${random(12)}`,
    gzip: `hf_${random(17)}`,
    error: `gsk_${random(20)}`,
    hidden: `no shape ${random(8)}`,
  };
  return { ...values, all: Object.values(values) };
}

/** Names of the secrets that stand in a text, also in base64. */
function found(text: string, secrets: readonly string[]): string[] {
  const base64 = (secret: string) =>
    [0, 1, 2].map(shift =>
      Buffer.from(`${'x'.repeat(shift)}${secret}`)
        .toString('base64')
        .slice(4, -4),
    );
  return secrets.filter(secret => text.includes(secret) || base64(secret).some(form => text.includes(form)));
}

function leaksInFiles(directory: string, secrets: readonly string[]): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).flatMap(name => {
    const file = join(directory, name);
    if (!statSync(file).isFile()) return [];
    return found(readFileSync(file).toString('latin1'), secrets).map(secret => `${name}: ${secret}`);
  });
}

/** Everything that a user can get out of the database, compressed parts unpacked. */
async function everythingIn(store: TraceStore): Promise<string> {
  const texts: string[] = [];
  for (const session of store.newest({ limit: 100 }).rows) {
    for (const whole of store.wholeExchanges(session.id)) texts.push(JSON.stringify(whole));
    for (const format of formats.options as readonly ExportFormat[]) {
      const request = { sessionId: session.id, format, force: false, content: format === 'otlp' };
      texts.push((await exportSession(store, request, AbortSignal.timeout(10_000))).text ?? '');
    }
    for (const exchange of store.exchangesOfSession(session.id))
      texts.push(JSON.stringify(store.wireText(exchange.id), asText));
  }
  return texts.join('\n');
}

/** Bytes as what they say. */
function asText(_key: string, value: unknown): unknown {
  const bytes =
    typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' ? value : null;
  return bytes !== null && 'data' in bytes ? Buffer.from(bytes.data as number[]).toString('latin1') : value;
}

describe('a secret in the traffic', () => {
  it('is in no file and in no export, wherever it stood', async () => {
    const secrets = canaries();
    const { accept, record, directory, store } = aRecorder();
    accept({ kind: 'hide', secret: secrets.hidden });
    const variables = `A=1\nDB_PASSWORD=${secrets.dotEnv}\nAPI_KEY=${secrets.dotted}\nMYSQL_PWD=${secrets.dollars}\nDB_SECRET=${secrets.digits}\n`;
    const headers = {
      authorization: `Bearer ${secrets.header}`,
      'x-api-key': secrets.apiKeyHeader,
      'thread-id': 'one',
    };
    const zipped = gzipSync(`some text ${secrets.gzip} and more`).toString('base64');
    record({
      path: `/v1/responses?key=${secrets.query}`,
      headers,
      request: {
        model: 'm',
        metadata: { api_key: secrets.field },
        input: [
          said('user', `use ${secrets.body} and ${secrets.hidden}`),
          { type: 'function_call_output', call_id: 'c', output: JSON.stringify({ stdout: `x\n${secrets.output}` }) },
          { type: 'function_call_output', call_id: 'd', output: variables },
          {
            type: 'function_call_output',
            call_id: 'e',
            output: `${Buffer.from(`the key ${secrets.base64}`).toString('base64')}\n${zipped}`,
          },
        ],
      },
      response: aReply([said('assistant', `here: ${secrets.body}`)]),
    });
    const cut = [secrets.split.slice(0, 9), secrets.split.slice(9, 20), secrets.split.slice(20)];
    const deltas = ['the key is ', ...cut, '.'].map(delta => ({
      type: 'response.output_text.delta',
      output_index: 0,
      delta,
    }));
    const item = { type: 'message', role: 'assistant', content: [] };
    for (const ended of [true, false]) {
      const done = {
        type: 'response.output_item.done',
        output_index: 0,
        item: said('assistant', `the key is ${secrets.split}.`),
      };
      const completed = { type: 'response.completed', response: { id: 'r', output: [] } };
      const events = [{ type: 'response.output_item.added', output_index: 0, item }, ...deltas];
      record({
        headers,
        request: { model: 'm', input: [] },
        response: sse(...events, ...(ended ? [done, completed] : [])),
      });
    }
    record({
      headers,
      request: { model: 'm' },
      status: 401,
      response: JSON.stringify({ error: { message: `no such key ${secrets.error}` } }),
    });
    record({
      headers,
      path: '/v1/unknown',
      request: { note: secrets.body },
      response: JSON.stringify({ said: secrets.output }),
    });
    record({
      request: { model: 'm', prompt_cache_key: secrets.conversation, input: [said('user', 'again')] },
      response: aReply([]),
    });
    const everything = await everythingIn(store);
    expect(everything).toContain('[redacted]');
    expect(found(everything, secrets.all)).toEqual([]);
    expect(leaksInFiles(directory, secrets.all)).toEqual([]);
  });

  it('is found wherever the bytes of a reply are cut', async () => {
    const secrets = canaries();
    const { accept, directory, store } = aRecorder();
    const { up, down } = wireOf({
      request: { model: 'm', input: 'x' },
      response: aReply([said('assistant', secrets.split)]),
      headers: { 'thread-id': 'cut' },
    });
    for (let cut = 1, connection = 1; cut < down.length; cut += 11, connection++) {
      accept({ kind: 'open', connection, origin: anOrigin() });
      accept({ kind: 'bytes', connection, direction: 'up', bytes: up, atMs: 1 });
      for (const bytes of [down.subarray(0, cut), down.subarray(cut)])
        accept({ kind: 'bytes', connection, direction: 'down', bytes, atMs: 1 });
      accept({ kind: 'close', connection, atMs: 2 });
    }
    expect(found(await everythingIn(store), secrets.all)).toEqual([]);
    expect(leaksInFiles(directory, secrets.all)).toEqual([]);
  });

  it('is in no log', () => {
    const secrets = canaries();
    const lines: string[] = [];
    const log = createLog(line => void lines.push(line), { debug: true, known: new KnownValues([secrets.hidden]) });
    log.error('failed', {
      error: new Error(secrets.error),
      sent: `Authorization: Bearer ${secrets.header}`,
      env: { DB_PASSWORD: secrets.dotEnv },
    });
    log.debug(`said ${secrets.hidden} and ${secrets.output}`, { body: JSON.stringify({ api_key: secrets.field }) });
    expect(found(lines.join(''), secrets.all)).toEqual([]);
  });
});

describe.skipIf(!requireFeature('codex'))('a .env that the real Codex reads', { timeout: 90_000 }, () => {
  it.each([false, true])('is in no file of ours (WebSocket: %s)', async webSocket => {
    const secrets = canaries();
    const authority = testAuthority();
    onTestFinished(() => authority.dispose());
    const upstream = await startFakeUpstream({ tls: authority.issue('127.0.0.1'), webSocket, deflate: webSocket });
    onTestFinished(() => upstream.dispose());
    const world = await aRecordingWorld();
    const overrides = ['api.openai.com', 'chatgpt.com'].map(host => ({
      host,
      target: upstream.origin,
      caFile: authority.caFile,
    }));
    const launch = await world.open({ overrides });
    const file = join(temporaryDirectory(), '.env');
    const variables = `DB_PASSWORD=${secrets.dotEnv}\nAPI_KEY=${secrets.dotted}\nMYSQL_PWD=${secrets.dollars}\nDB_SECRET=${secrets.digits}\n`;
    writeFileSync(file, `${variables}GITHUB=${secrets.output}\n`);
    const codex = await runRealCodex(`SHELL cat ${file}\nSAY I saw ${secrets.body}`, {
      ...launch.launch.env,
      CODEX_API_KEY: secrets.split,
    });
    expect(codex).toMatchObject({ code: 0 });
    await launch.settled();
    expect(JSON.stringify(upstream.requests.map(request => request.body))).toContain(secrets.dotEnv);
    const everything = await everythingIn(world.store);
    expect(everything).toContain('DB_PASSWORD=[redacted]');
    expect(found(everything, secrets.all)).toEqual([]);
    expect(leaksInFiles(world.directory, secrets.all)).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TraceStore } from '../../../server/traces/store.ts';
import type { FakeUpstreamOptions } from '../../fakes/upstream.ts';
import { testAuthority } from '../../fakes/upstreamCertificate.ts';
import { type ModelTurn, patch, say, shell, think } from '../../fakes/upstreamModel.ts';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { cliProgram } from '../../world.ts';
import { aCodexHome } from '../proxy/realCodex.ts';
import { expectSameWire } from '../proxy/wireComparison.ts';
import { aCodexWorld, type CodexOutcome, type CodexWorld, startTurn } from './tracedCodex.ts';

const patchText = '*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch\n';

/** What a classic model does: a tool call per reply. */
const classicSteps = [
  shell('echo one > one.txt'),
  {
    ...{ type: 'function_call', id: 'fc_mcp', call_id: 'call_mcp', status: 'completed' },
    ...{ namespace: 'mcp__coach', name: 'proxy_status', arguments: '{}' },
  },
  patch(patchText),
];

/** What a model in code mode does: programs that call the tools. */
const codeSteps = [
  "text(JSON.stringify(await tools.exec_command({ cmd: 'echo one > one.txt' })));",
  'text(JSON.stringify(await tools.mcp__coach__proxy_status({})));',
  `text(JSON.stringify(await tools.apply_patch(${JSON.stringify(patchText)})));`,
].map((input, step) => ({
  ...{ type: 'custom_tool_call', id: `ctc_${step}`, call_id: `call_${step}`, status: 'completed', name: 'exec', input },
}));

/** A model that takes these steps in its first turn and only answers in others. */
function modelOf(steps: readonly object[]) {
  return ({ prompt, outputs, forced }: ModelTurn) =>
    forced ?? [
      think('Next.'),
      prompt === 'Work.' ? (steps[outputs.length] ?? say('All done.')) : say('Nothing to do.'),
    ];
}

/** Our own MCP server, awaited. */
function withMcp({ home }: CodexWorld): string[] {
  return Object.entries({
    command: JSON.stringify(process.execPath),
    args: JSON.stringify([cliProgram, 'mcp']),
    env: `{COACH_HOME=${JSON.stringify(home.paths.home)}}`,
    default_tools_approval_mode: '"approve"',
    required: 'true',
  }).flatMap(([name, toml]) => ['-c', `mcp_servers.coach.${name}=${toml}`]);
}

/** Expects that Codex counted for its thread what is stored of it. */
function expectSameTokens(store: TraceStore, { threadId, usage }: CodexOutcome): void {
  expect(usage).toMatchObject({ input_tokens: expect.any(Number) });
  expect(store.session(threadId)?.usage).toEqual({
    inputTokens: usage?.['input_tokens'],
    cachedInputTokens: usage?.['cached_input_tokens'],
    outputTokens: usage?.['output_tokens'],
    reasoningTokens: usage?.['reasoning_output_tokens'],
  });
}

const transports: [string, FakeUpstreamOptions][] = [
  ['SSE', {}],
  ['a WebSocket', { webSocket: true }],
  ['a compressed WebSocket', { webSocket: true, deflate: true }],
];
const models: [string, readonly object[]][] = [
  ['gpt-5.5', classicSteps],
  ['gpt-5.6-sol', codeSteps],
];

describe.skipIf(!requireFeature('codex'))('nothing of the real Codex goes untraced', { timeout: 120_000 }, () => {
  it.each(
    transports.flatMap(([transport, options]) =>
      models.map(([model, steps]) => ({ transport, model, options, steps })),
    ),
  )('$model over $transport, with an MCP server, in a turn and its continuation', async ({ model, options, steps }) => {
    const authority = testAuthority();
    onTestFinished(() => authority.dispose());
    const world = await aCodexWorld(
      { tls: authority.issue('127.0.0.1'), model: modelOf(steps), ...options },
      { SSL_CERT_FILE: authority.caFile },
    );
    const shared = { model, args: withMcp(world), codexHome: aCodexHome(), directory: temporaryDirectory() };
    const first = await startTurn(world, 'Work.', shared).done;
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    expect(first.stdout).toContain('"tool":"proxy_status"');
    expect(readFileSync(join(shared.directory, 'one.txt'), 'utf8')).toBe('one\n');
    expect(readFileSync(join(shared.directory, 'made.txt'), 'utf8')).toBe('made\n');
    const second = await startTurn(world, 'And again?', { ...shared, resume: first.threadId }).done;
    expect(second).toMatchObject({ code: 0, threadId: first.threadId });
    const store = new TraceStore(world.home.paths.tracesDb);
    onTestFinished(() => store.dispose());
    const served = world.upstream.requests.filter(({ replied }) => replied.length > 0);
    expect(served.length).toBeGreaterThanOrEqual(5);
    expectSameWire(store, first.threadId, served);
    expect(store.newest({ limit: 5 }).rows.map(({ id }) => id)).toEqual([first.threadId]);
    expectSameTokens(store, second);
    const status = await world.home.cli(['proxy', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ uncaptured: 0, exchanges: served.length });
  });
});

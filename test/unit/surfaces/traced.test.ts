import { expect, it, onTestFinished, vi } from 'vitest';
import type { Channel } from '../../../protocol/channel.ts';
import { baseUrlsOf, type Unreached } from '../../../protocol/proxy.ts';
import { outerProxyOf } from '../../../server/base/outerProxy.ts';
import { settingPrints } from '../../../server/base/settings.ts';
import type { Terminal } from '../../../server/surfaces/cli/terminal.ts';
import {
  checkEnvironment,
  outerProxyProblem,
  recordingTroubles,
  runTraced,
  shellExitCode,
} from '../../../server/surfaces/cli/traced.ts';

it('knows the base URLs that the environment names', () => {
  const own = { OPENAI_BASE_URL: 'https://gateway.example/v1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:8787' };
  expect(baseUrlsOf({ ...own, OPENAI_API_BASE: '', OPENAI_API_KEY: 'sk-x' })).toEqual(own);
});

it('passes an exit code on, and a signal as shells do', () => {
  expect(shellExitCode({ exitCode: 7, signal: null })).toBe(7);
  expect(shellExitCode({ exitCode: null, signal: 'SIGTERM' })).toBe(143);
});

it('knows the proxy of the outer world without its password, and not our own', () => {
  expect(outerProxyOf({ HTTPS_PROXY: 'http://me:secret@proxy.example:3128' })).toBe('http://proxy.example:3128');
  expect(outerProxyOf({ https_proxy: 'proxy.example:3128' })).toBe('http://proxy.example:3128');
  expect(outerProxyOf({ HTTPS_PROXY: 'http://coach:token@127.0.0.1:18080' })).toBeNull();
  expect(outerProxyOf({})).toBeNull();
});

it('tells when the server goes another way than the terminal', () => {
  expect(outerProxyProblem(null, 'http://a:1')).toBeNull();
  expect(outerProxyProblem('http://a:1', 'http://a:1')).toBeNull();
  expect(outerProxyProblem('http://a:1', null)).toContain('directly');
  expect(outerProxyProblem('http://a:1', 'http://b:2')).toContain('through http://b:2');
});

it.each([
  ['19211', 19210, 'not on PROXY_PORT=19211'],
  ['19211', 19211, null],
  ['19211', null, null],
  ['0', 19210, null],
  ['', 19210, null],
])('holds PROXY_PORT=%s while the proxy is on %s, or refuses it', async (wanted, port, refusal) => {
  const env = { PROXY_PORT: wanted };
  const caFiles = { caFile: '', bundleFile: '' };
  const proxyStatus = { state: 'listening', host: '127.0.0.1', port, ...caFiles, exchanges: 0, openConnections: 0 };
  const info = { version: '1.0.0', pid: 1, home: '/', startedAt: '2026-01-01T00:00:00Z', clients: 1, runningTrials: 0 };
  const request = async (method: string) =>
    method.includes('server')
      ? { ...info, log: '', outerProxy: null, settings: settingPrints(env) }
      : { ...proxyStatus, uncaptured: 0, error: null };
  const checked = checkEnvironment({ request } as unknown as Channel, env, () => undefined);
  if (refusal === null) await checked;
  else await expect(checked).rejects.toMatchObject({ message: expect.stringContaining(refusal) });
});

it('says why nothing was recorded, or not all', () => {
  const outcome = { exitCode: 0, signal: null, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), mismatches: [] };
  const reason = "Can't reach api.openai.com:443: getaddrinfo ENOTFOUND api.openai.com";
  const failure: Unreached = { host: 'api.openai.com', reason, hint: null, at: '2026-01-01T00:00:00.000Z' };
  const troubles = (sessionIds: string[], unreached: Unreached[], closed = true) =>
    recordingTroubles({ ...outcome, closed, sessionIds, unreached });
  expect(troubles(['s'], [])).toEqual([]);
  expect(troubles([], [])).toEqual(['nothing was recorded. Check the route with: codex-coach doctor']);
  expect(troubles(['s'], [failure])).toEqual([`${reason}.`]);
  expect(troubles([], [{ ...failure, hint: 'Do this.' }])).toEqual([
    `nothing was recorded. ${reason}. Do this. Check the route with: codex-coach doctor`,
  ]);
  // A server that was killed in between has recorded what the next one does not know of.
  expect(troubles([], [], false)).toEqual([expect.stringContaining('sessions list')]);
});

/** An agent that ends at once, and a server that does not answer when its launch is to be closed. */
function anUnansweredClose(ask: () => void) {
  const interrupt = new AbortController();
  const request = (method: string) => {
    if (method.endsWith('launch')) {
      return Promise.resolve({ token: 't', env: {}, baseUrl: 'http://127.0.0.1:9/t/v1', port: 9, settings: {} });
    }
    ask();
    return new Promise(() => undefined);
  };
  const nowhere = () => undefined;
  const handOver = () => nowhere;
  const env = { PATH: process.env['PATH'] };
  const terminal: Terminal = { print: nowhere, note: nowhere, env, cwd: '/', signal: interrupt.signal, handOver };
  const spec = { agent: 'other', argv: [process.execPath, '--version'] as const, cwd: '/', onStdout: nowhere };
  return { interrupt, ended: runTraced(spec, { request } as unknown as Channel, terminal) };
}

it('waits for the end of a launch no longer than the user does', async () => {
  const { interrupt, ended } = anUnansweredClose(() => setImmediate(() => interrupt.abort()));
  expect(await ended).toMatchObject({ exitCode: 0, closed: false, sessionIds: [] });
});

it('waits for the end of a launch for 20 s at most', async () => {
  onTestFinished(() => void vi.useRealTimers());
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const { ended } = anUnansweredClose(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    resolve();
  });
  await asked;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ended).toMatchObject({ exitCode: 0, closed: false });
});

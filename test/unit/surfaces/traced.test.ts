import { expect, it } from 'vitest';
import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { outerProxyOf } from '../../../server/base/outerProxy.ts';
import { outerProxyProblem, shellExitCode } from '../../../server/surfaces/cli/traced.ts';

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

import { describe, expect, it } from 'vitest';
import { ModelHosts } from '../../../../server/proxy/hosts.ts';
import { type BaseUrls, routeBaseUrls, routedUrls } from '../../../../server/proxy/launches/baseUrls.ts';

const port = 18080;
const launch = { token: 'token', port };
const upstreams = [{ host: 'Moved.example', target: 'https://elsewhere.example' }];

function routed(urls: BaseUrls, named = '') {
  const route = routeBaseUrls(urls, { hosts: new ModelHosts(named), upstreams, port });
  const { overrides, endpoint } = route;
  return { overrides: overrides.map(({ host }) => host), endpoint, led: routedUrls(route.led, launch) };
}

describe('base URLs of an agent', () => {
  it.each([
    ['https://api.openai.com/v1', ''],
    ['https://moved.example/v1', ''],
    ['https://user:secret@gateway.example:8443/v1', 'gateway.example:8443'],
    [`http://localhost:${port}/another-launch/v1`, ''],
  ])('stay where they are recorded anyway: %s', (url, named) => {
    expect(routed({ OPENAI_BASE_URL: url }, named)).toEqual({ overrides: [], endpoint: null, led: {} });
  });

  it('stay with another https host, which is recorded too', () => {
    const variables = {
      OPENAI_BASE_URL: 'https://Gateway.example/v1',
      OPENAI_API_BASE: 'https://gateway.example/v1',
      ANTHROPIC_BASE_URL: 'https://other.example',
    };
    const overrides = ['gateway.example', 'other.example'];
    expect(routed(variables)).toEqual({ overrides, endpoint: null, led: {} });
  });

  it.each([
    ['http://127.0.0.1:11434/v1', 'http://127.0.0.1:11434', '/v1'],
    ['http://127.0.0.1:11434/v1', 'http://127.0.0.1:11434', '/v1', 'http://127.0.0.1:11434'],
    ['http://gpu-box:8000', 'http://gpu-box:8000', ''],
    ['http://[::1]:8787/', 'http://[::1]:8787', '/'],
    ['https://gateway.example:8443/openai/v1?v=1', 'https://gateway.example:8443', '/openai/v1?v=1'],
    ['https://localhost:8443/v1', 'https://localhost:8443', '/v1', 'localhost:8443'],
  ])('lead through the launch elsewhere: %s', (url, endpoint, path, named = '') => {
    const own = `http://127.0.0.1:${port}/token${path}`;
    expect(routed({ OPENAI_BASE_URL: url, ANTHROPIC_BASE_URL: url }, named)).toEqual({
      overrides: [],
      endpoint,
      led: { OPENAI_BASE_URL: own, ANTHROPIC_BASE_URL: own },
    });
  });

  it('keep the name and password that they carry', () => {
    expect(routed({ OPENAI_BASE_URL: 'http://me:secret@gpu-box/v1' })).toMatchObject({
      endpoint: 'http://gpu-box',
      led: { OPENAI_BASE_URL: `http://me:secret@127.0.0.1:${port}/token/v1` },
    });
  });

  it.each([
    ['gateway.example', /OPENAI_BASE_URL is no http/],
    ['ftp://gateway.example', /OPENAI_BASE_URL is no http/],
    ['https://user:secret@10.0.0.5:8443/path', /^OPENAI_BASE_URL=https:\/\/10\.0\.0\.5:8443 can't be recorded\.$/],
  ])('are refused where they can’t be recorded: %s', (url, words) => {
    expect(() => routed({ OPENAI_BASE_URL: url })).toThrow(words);
  });

  it('lead to one place of their own at a time, beside those that are named', () => {
    const two = { OPENAI_BASE_URL: 'https://gateway.example:8443/v1', ANTHROPIC_BASE_URL: 'http://localhost:8787' };
    expect(() => routed(two)).toThrow(
      "ANTHROPIC_BASE_URL=http://localhost:8787 can't be recorded beside https://gateway.example:8443.",
    );
    expect(routed(two, 'gateway.example:8443')).toMatchObject({ endpoint: 'http://localhost:8787' });
  });
});

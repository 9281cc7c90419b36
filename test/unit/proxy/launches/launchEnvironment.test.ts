import { describe, expect, it } from 'vitest';
import { ModelHosts } from '../../../../server/proxy/hosts.ts';
import {
  launchEnvironment,
  withOwnExceptions,
  withPlainModels,
} from '../../../../server/proxy/launches/launchEnvironment.ts';

const place = { token: 't', port: 18080, bundleFile: '/bundle.pem' };
const { endpoints } = new ModelHosts('gateway.corp.example');

describe('the environment of a launch', () => {
  it('leads model traffic through the proxy and away from stale addresses', () => {
    expect(launchEnvironment(place)).toMatchObject({
      HTTPS_PROXY: 'http://coach:t@127.0.0.1:18080',
      NO_PROXY: 'localhost,127.0.0.1,::1',
      OPENAI_BASE_URL: null,
      OPENAI_API_BASE: null,
      OPENAI_API_HOST: null,
      CLAUDE_CODE_DISABLE_AGENT_VIEW: '1',
      CODEX_CA_CERTIFICATE: '/bundle.pem',
      SSL_CERT_FILE: '/bundle.pem',
      REQUESTS_CA_BUNDLE: '/bundle.pem',
      NODE_EXTRA_CA_CERTS: '/bundle.pem',
    });
  });

  it('leads plain HTTP through the proxy only where a model of another machine is asked that way', () => {
    const asked = (own: string) => withPlainModels(launchEnvironment(place), new ModelHosts(own).endpoints);
    const proxy = 'http://coach:t@127.0.0.1:18080';
    expect(asked('http://gpu-box:8000')).toEqual({
      ...launchEnvironment(place),
      ...{ HTTP_PROXY: proxy, http_proxy: proxy },
    });
    expect(asked('gateway.corp.example,http://localhost:11434,http://127.0.0.1:8000')).toEqual(
      launchEnvironment(place),
    );
  });

  it('keeps the user’s own exceptions, but none that covers a model host', () => {
    const own = 'git.corp.example, .internal,10.0.0.0/8 *,openai.com,.corp.example,api.anthropic.com:443,a:b:c';
    const env = withOwnExceptions(launchEnvironment(place), own, endpoints);
    expect(env['NO_PROXY']).toBe('localhost,127.0.0.1,::1,git.corp.example,.internal,10.0.0.0/8');
    expect(env['no_proxy']).toBe(env['NO_PROXY']);
    expect(withOwnExceptions(env, '', endpoints)).toEqual(env);
  });
});

import { describe, expect, it } from 'vitest';
import { ModelHosts, modelEndpoint } from '../../../server/proxy/hosts.ts';
import { toOverrides } from '../../../server/proxy/upstream/upstreamSetting.ts';

const notOne = [
  '*.corp.example',
  '.corp.example',
  'a..b',
  'one.example;two.example',
  '-a.example',
  `${'a'.repeat(64)}.example`,
];

describe('a host that a user names', () => {
  it.each(notOne)('is one host: %s is refused, saying what to write', host => {
    const refused = { code: 'input.invalid', hint: expect.stringContaining('no wildcards') };
    expect(() => new ModelHosts(`gateway.example,${host}`)).toThrow(expect.objectContaining(refused));
    expect(() => toOverrides(`${host}=https://gateway.example`)).toThrow(expect.objectContaining(refused));
  });

  it('may be written in any script, and is known as connections name it', () => {
    expect(modelEndpoint('Bücher.example')).toEqual({ scheme: 'https', host: 'xn--bcher-kva.example', port: 443 });
    const [override] = toOverrides('bücher.example=https://gateway.example');
    expect(override).toEqual({ host: 'xn--bcher-kva.example', target: 'https://gateway.example' });
  });

  it.each([
    ['gateway_1.example', { scheme: 'https', host: 'gateway_1.example', port: 443 }],
    ['Gateway.example.:8443', { scheme: 'https', host: 'gateway.example', port: 8443 }],
    ['http://localhost:11434', { scheme: 'http', host: 'localhost', port: 11434 }],
    ['http://[::1]:8000/', { scheme: 'http', host: '::1', port: 8000 }],
    ['http://127.0.0.1', { scheme: 'http', host: '127.0.0.1', port: 80 }],
  ])('%s', (text, endpoint) => expect(modelEndpoint(text)).toEqual(endpoint));

  it('is a name where it is asked over TLS', () => {
    expect(() => modelEndpoint('127.0.0.1')).toThrow('is no model host');
    expect(() => modelEndpoint('1.2.3')).toThrow('is no model host');
  });

  it('may be an address where its traffic is sent elsewhere', () => {
    expect(toOverrides('127.0.0.1=http://localhost:1,::1=http://localhost:2')).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import { onlyFor, readdressed, withKey } from '../../../../server/proxy/connections/credentials.ts';
import { RequestRewriter, serialiseHead } from '../../../../server/proxy/connections/requestRewriter.ts';
import { canonicalHost, parseAuthority } from '../../../../server/proxy/hosts.ts';
import { parseHead } from '../../../../server/traces/wire/httpHead.ts';

describe('the target of a CONNECT', () => {
  it.each([
    ['api.openai.com:443', { host: 'api.openai.com', port: 443 }],
    ['API.OpenAI.com.:443', { host: 'api.openai.com', port: 443 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    ['api.openai.com', null],
    ['user@api.openai.com:443', null],
    ['api.openai.com:443/x', null],
    ['api.openai.com:0', null],
    ['api.openai.com:70000', null],
    ['[api]:443', null],
  ])('%s', (target, parsed) => expect(parseAuthority(target)).toEqual(parsed));

  it('is compared without case and trailing dot', () => expect(canonicalHost('ChatGPT.com.')).toBe('chatgpt.com'));
});

describe('rewriting requests', () => {
  const head = (text: string) => parseHead(text, 'request');
  const rewriter = () =>
    new RequestRewriter(each => readdressed(each, each.startLine[1].replace('/token', ''), 'api.test'));
  const run = (pieces: readonly string[]) => {
    const target = rewriter();
    let written = '';
    for (const piece of pieces)
      target.push(Buffer.from(piece, 'latin1'), bytes => {
        written += bytes.toString('latin1');
      });
    return written;
  };
  const body = '5\r\nhello\r\n0\r\nT: x\r\n\r\n';
  const two =
    `POST /token/v1/a HTTP/1.1\r\nHost: here\r\nX-Mixed: Case\r\nProxy-Connection: keep\r\nTransfer-Encoding: chunked\r\n\r\n${body}` +
    'GET /token/v1/b HTTP/1.1\r\nHost: here\r\n\r\n';

  it('changes the heads of all requests on a connection and no byte of their bodies, wherever they are cut', () => {
    for (let cut = 0; cut <= two.length; cut++) {
      expect(run([two.slice(0, cut), two.slice(cut)])).toBe(
        `POST /v1/a HTTP/1.1\r\nHost: api.test\r\nX-Mixed: Case\r\nTransfer-Encoding: chunked\r\n\r\n${body}` +
          'GET /v1/b HTTP/1.1\r\nHost: api.test\r\n\r\n',
      );
    }
  });

  it('waits after an upgrade was asked for until the answer says what follows', () => {
    const ask = 'GET /token/ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\n\r\n';
    for (const [answer, follows, expected] of [
      ['HTTP/1.1 101 Switching Protocols\r\n\r\n', '\x81\x85frame', '\x81\x85frame'],
      [
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n',
        '\x81\x85frame',
        '\x81\x85frame',
      ],
      [
        'HTTP/1.1 426 Upgrade Required\r\n\r\n',
        'GET /token/v1/b HTTP/1.1\r\nHost: here\r\n\r\n',
        'GET /v1/b HTTP/1.1\r\nHost: api.test\r\n\r\n',
      ],
    ].flatMap(([answer = '', ...rest]) => [[[answer], ...rest] as const, [answer.split(''), ...rest] as const])) {
      const target = rewriter();
      let written = '';
      const write = (bytes: Buffer) => {
        written += bytes.toString('latin1');
      };
      target.push(Buffer.from(ask), write);
      written = '';
      target.push(Buffer.from(follows ?? '', 'latin1'), write);
      expect(written).toBe('');
      for (const piece of answer) target.answered(Buffer.from(piece), write);
      expect(written).toBe(expected);
    }
  });

  it.each([
    ['Host: evil.test', '/v1'],
    ['Host: api.openai.com.evil.test', '/v1'],
    ['Host: api.openai.com, evil.test', '/v1'],
    ['X-A: b', '/v1'],
    ['Host: api.openai.com', 'https://evil.test/v1'],
  ])('keeps a key from a request that names another host: %s, %s', (header, target) => {
    const endpoint = { scheme: 'https', host: 'api.openai.com', port: 443 } as const;
    expect(() => onlyFor(head(`GET ${target} HTTP/1.1\r\n${header}`), endpoint)).toThrow('another host');
    expect(onlyFor(head('GET /v1 HTTP/1.1\r\nHost: API.OpenAI.com:443'), endpoint)).toBeTruthy();
  });

  it.each([
    ['Authorization: Bearer placeholder', 'api.openai.com', 'Authorization: Bearer real'],
    ['x-api-key: placeholder', 'api.anthropic.com', 'x-api-key: real'],
    ['Accept: x', 'api.anthropic.com', 'x-api-key: real'],
    ['Accept: x', 'generativelanguage.googleapis.com', 'x-goog-api-key: real'],
    ['Accept: x', 'api.openai.com', 'Authorization: Bearer real'],
  ])('puts the key where %s stands for %s', (header, host, expected) => {
    const text = serialiseHead(withKey(head(`POST / HTTP/1.1\r\n${header}`), 'real', host)).toString();
    expect(text).toContain(`\r\n${expected}\r\n`);
    expect(text).not.toContain('placeholder');
  });
});

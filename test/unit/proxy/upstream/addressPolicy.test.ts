import type { LookupAddress, lookup } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { hostPattern } from '../../../../server/proxy/hostPatterns.ts';
import { literalAddress, reservedKind } from '../../../../server/proxy/upstream/addresses.ts';
import { AddressPolicy, toAddressPolicy } from '../../../../server/proxy/upstream/addressPolicy.ts';

/** A resolver with these answers, one list per call. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = ((host: string, _options: unknown, done: (error: null, found: LookupAddress[]) => void) => {
    const found = answers[asked.length] ?? [];
    asked.push(host);
    done(
      null,
      found.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookup;
  return { resolve, asked };
}

function look(policy: AddressPolicy, host: string, all: boolean): Promise<unknown> {
  return new Promise((done, reject) => {
    policy.lookupFor(443)(host, { all }, (error, found) => (error ? reject(error) : done(found)));
  });
}

describe('what a name resolves to', () => {
  it.each([['10.0.0.1'], ['127.0.0.1'], ['169.254.169.254'], ['::1'], ['fd00:ec2::254'], ['::ffff:192.168.0.1']])(
    'is refused when it is %s',
    async address => {
      const policy = new AddressPolicy([], resolver([address]).resolve);
      await expect(look(policy, 'rebound.test', true)).rejects.toMatchObject({
        code: 'proxy.refused',
        message: expect.stringContaining(`rebound.test is ${address}, a `),
        hint: expect.stringContaining('add rebound.test to the setting proxy.allowPrivate'),
      });
    },
  );

  it('is asked for once: the address that was checked is the one that is connected to', async () => {
    const { resolve, asked } = resolver(['93.184.216.34'], ['127.0.0.1']);
    expect(await look(new AddressPolicy([], resolve), 'rebound.test', false)).toBe('93.184.216.34');
    expect(asked).toEqual(['rebound.test']);
  });

  it('is used without its private part', async () => {
    const policy = new AddressPolicy([], resolver(['10.0.0.1', '93.184.216.34']).resolve);
    expect(await look(policy, 'mixed.test', true)).toEqual([{ address: '93.184.216.34', family: 4 }]);
  });

  it('may be private when the setting has the name or the range', async () => {
    for (const entry of ['corp.test', '10.0.0.0/8', '*']) {
      const pattern = hostPattern(entry);
      const policy = new AddressPolicy(pattern === null ? [] : [pattern], resolver(['10.0.0.1']).resolve);
      expect(await look(policy, 'git.corp.test', false)).toBe('10.0.0.1');
    }
  });
});

it.each([
  ['8.8.8.8', null],
  ['172.15.255.255', null],
  ['172.32.0.1', null],
  ['2606:4700::1111', null],
  ['::ffff:8.8.8.8', null],
  ['fe80::1%eth0', 'link-local'],
  ['10.255.255.255', 'private'],
  ['198.18.0.1', 'reserved'],
])('the address %s is %s', (address, kind) => expect(reservedKind(address)).toBe(kind));

it.each([
  ['0x7f.1', '127.0.0.1'],
  ['2130706433', '127.0.0.1'],
  ['0xa9fea9fe', '169.254.169.254'],
  ['example.com', null],
  ['1.2.3.4.example', null],
  ['a_b', null],
])('the host %s is the address %s', (host, address) => expect(literalAddress(host)).toBe(address));

describe('an entry of a list of hosts', () => {
  it.each([
    ['*', 'any.test', 1, true],
    ['corp.test', 'corp.test', 443, true],
    ['corp.test', 'git.corp.test', 443, true],
    ['corp.test', 'notcorp.test', 443, false],
    ['.corp.test', 'git.corp.test', 443, true],
    ['*.corp.test', 'git.corp.test', 443, true],
    ['CORP.test.', 'corp.test', 443, true],
    ['corp.test:8443', 'corp.test', 8443, true],
    ['corp.test:8443', 'corp.test', 443, false],
    ['10.0.0.1', '10.0.0.1', 80, true],
    ['10.0.0.1:80', '10.0.0.1', 81, false],
    ['10.0.0.0/8', '10.9.9.9', 80, true],
    ['10.0.0.0/8', '11.0.0.1', 80, false],
    ['10.0.0.0/8', 'corp.test', 80, false],
    ['::1', '::1', 80, true],
    ['[::1]:80', '::1', 80, true],
    ['fd00::/8', 'fd12::1', 80, true],
  ])('%s, for %s port %d: %s', (entry, host, port, covered) => {
    expect(hostPattern(entry)?.({ host, port })).toBe(covered);
  });

  it.each(['http://corp.test', '10.0.0.0/33', 'a b', '[corp]:1', ''])('is not %j', entry => {
    expect(hostPattern(entry)).toBeNull();
  });

  it('is named when it is wrong', () => {
    expect(() => toAddressPolicy('corp.test, 10.0.0.0/99')).toThrow('"10.0.0.0/99" in COACH_ALLOW_PRIVATE');
  });
});

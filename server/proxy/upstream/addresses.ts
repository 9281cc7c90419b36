import { BlockList, isIP } from 'node:net';

type Range = readonly [network: string, bits: number];

/** Address ranges that are not the public internet (IANA special-purpose registries), by what they are. */
const ranges: readonly (readonly [kind: string, ranges: readonly Range[]])[] = [
  [
    'loopback',
    [
      ['127.0.0.0', 8],
      ['0.0.0.0', 8],
      ['::1', 128],
      ['::', 128],
    ],
  ],
  // Clouds serve credentials here; 168.63.129.16 is Azure's place for them.
  [
    'link-local',
    [
      ['169.254.0.0', 16],
      ['fe80::', 10],
      ['168.63.129.16', 32],
    ],
  ],
  [
    'private',
    [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
      ['fc00::', 7],
      ['fec0::', 10],
    ],
  ],
  [
    'reserved',
    [
      ['192.0.0.0', 24],
      ['192.0.2.0', 24],
      ['198.18.0.0', 15],
      ['198.51.100.0', 24],
      ['203.0.113.0', 24],
    ],
  ],
  [
    'reserved',
    [
      ['224.0.0.0', 4],
      ['240.0.0.0', 4],
      ['ff00::', 8],
      ['100::', 64],
      ['2001::', 32],
      ['2001:db8::', 32],
    ],
  ],
];

const lists = ranges.map(([kind, networks]) => {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, isIP(network) === 4 ? 'ipv4' : 'ipv6');
  return { kind, list };
});

/** What an IP address is when it is not a public one, such as `loopback`; null for a public one. */
export function reservedKind(address: string): string | null {
  const plain = embeddedIpv4(address) ?? address.replace(/%.*$/, '');
  const family = isIP(plain) === 4 ? 'ipv4' : 'ipv6';
  return lists.find(({ list }) => list.check(plain, family))?.kind ?? null;
}

/**
 * The address that a host is without any look-up, also in the forms that a system's resolver takes for one: `0x7f.1`,
 * `2130706433`, `0177.0.0.1`, `localhost`. Null for other names.
 */
export function literalAddress(host: string): string | null {
  if (isIP(host) !== 0) return host;
  if (host === 'localhost' || host.endsWith('.localhost')) return '127.0.0.1';
  const url = URL.parse(`http://${host}/`);
  return url !== null && isIP(url.hostname) === 4 ? url.hostname : null;
}

/** The IPv4 address inside an IPv6 one: mapped, compatible, NAT64 and 6to4. */
function embeddedIpv4(address: string): string | null {
  if (isIP(address) !== 6 || address.includes('%')) return null;
  const groups = groupsOf(address);
  const at = (index: number) => groups[index] ?? 0;
  const dotted = (high: number, low: number) => [high >> 8, high & 255, low >> 8, low & 255].join('.');
  const zeros = (count: number) => groups.slice(0, count).every(group => group === 0);
  if (zeros(5) && at(5) === 0xffff) return dotted(at(6), at(7));
  if (zeros(4) && at(4) === 0xffff && at(5) === 0) return dotted(at(6), at(7));
  if (zeros(6) && at(6) > 0) return dotted(at(6), at(7));
  if (at(0) === 0x64 && at(1) === 0xff9b) return dotted(at(6), at(7));
  return at(0) === 0x2002 ? dotted(at(1), at(2)) : null;
}

function groupsOf(address: string): number[] {
  // The URL parser writes every IPv6 address in one form, without dotted parts.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const parse = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)));
  const front = parse(head);
  const back = tail === undefined ? [] : parse(tail);
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
}

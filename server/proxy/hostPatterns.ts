import { BlockList, isIP } from 'node:net';

/** A place on the network, and the address its name stands for where that is known. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly address?: string;
}

export type HostPattern = (place: Place) => boolean;

/**
 * One entry of a list of hosts, in the grammar of NO_PROXY: `*`, a name (which covers its subdomains), `.suffix`, an
 * address, a CIDR range; names and addresses also with `:port`. Null when it is none of these.
 */
export function hostPattern(entry: string): HostPattern | null {
  if (entry === '*') return () => true;
  const range = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/i.exec(entry);
  if (range !== null) return rangePattern(range[1] ?? '', Number(range[2]));
  if (isIP(entry) !== 0) return rangePattern(entry, isIP(entry) === 4 ? 32 : 128);
  const [, bracketed, name, digits] = /^(?:\[([0-9a-f.:]+)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?$/i.exec(entry) ?? [];
  const host = bracketed ?? name;
  if (host === undefined || (bracketed !== undefined && isIP(bracketed) !== 6)) return null;
  const port = digits === undefined ? null : Number(digits);
  const covers = isIP(host) === 0 ? namePattern(host) : rangePattern(host, isIP(host) === 4 ? 32 : 128);
  return covers === null ? null : place => (port === null || place.port === port) && covers(place);
}

/** The entries of a list, separated by commas or blanks. */
export function hostEntries(list: string): string[] {
  return list.split(/[\s,]+/).filter(Boolean);
}

function namePattern(name: string): HostPattern {
  const suffix = name
    .toLowerCase()
    .replace(/^\*?\./, '')
    .replace(/\.$/, '');
  return ({ host }) => host === suffix || host.endsWith(`.${suffix}`);
}

function rangePattern(network: string, bits: number): HostPattern | null {
  const family = isIP(network);
  if (family === 0 || bits > (family === 4 ? 32 : 128)) return null;
  const list = new BlockList();
  list.addSubnet(network, bits, family === 4 ? 'ipv4' : 'ipv6');
  return ({ host, address = host }) =>
    isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

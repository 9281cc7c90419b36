import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { CoachError } from '../../protocol/errors.ts';
import { modelHosts } from '../../protocol/proxy.ts';

/** Where a model API is served. */
export interface ModelEndpoint {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
}

/** The model hosts that we know, and the user's own: gateways, Ollama, vLLM. */
export class ModelHosts {
  readonly #endpoints: ReadonlyMap<string, ModelEndpoint>;

  /** `own`: the setting `proxy.hosts`, separated by commas. @throws CoachError `input.invalid` naming the entry */
  constructor(own = '') {
    const entries = [
      ...modelHosts,
      ...own
        .split(',')
        .map(entry => entry.trim())
        .filter(Boolean),
    ];
    this.#endpoints = new Map(entries.map(modelEndpoint).map(endpoint => [keyOf(endpoint), endpoint]));
  }

  has(scheme: 'https' | 'http', host: string, port: number): boolean {
    return this.#endpoints.has(keyOf({ scheme, host, port }));
  }

  get endpoints(): ModelEndpoint[] {
    return [...this.#endpoints.values()];
  }

  /** Names that our certificates must be valid for. */
  get names(): string[] {
    const secure = [...this.#endpoints.values()].filter(({ scheme }) => scheme === 'https');
    return [...new Set(secure.map(({ host }) => host))];
  }
}

/** `host`, `host:port`, `http://host:port` or `https://host:port`. @throws CoachError `input.invalid` */
export function modelEndpoint(text: string): ModelEndpoint {
  const [, scheme = 'https', authority = ''] = /^(?:(https?):\/\/)?([^/]+)\/?$/i.exec(text) ?? [];
  const secure = scheme.toLowerCase() === 'https';
  const place = parseAuthority(/:\d+$/.test(authority) ? authority : `${authority}:${secure ? 443 : 80}`);
  const host = hostName(place?.host ?? '');
  if (place !== null && host !== null && !(secure && isIP(host) !== 0)) {
    return { scheme: secure ? 'https' : 'http', host, port: place.port };
  }
  throw new CoachError('input.invalid', `"${text}" is no model host.`, {
    hint:
      'Write it like gateway.example, gateway.example:8443 or http://localhost:11434 ' +
      '(no wildcards; addresses with http:// only).',
  });
}

function keyOf({ scheme, host, port }: ModelEndpoint): string {
  return `${scheme}://${host}:${port}`;
}

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
/** A name as DNS and certificates take it (RFC 1035 §2.3.4), and with the underscores that some gateways have. */
const asciiName = new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*$`);

/** One host as connections name it: in ASCII, or an address. Null for what is none, such as `*.example`. */
export function hostName(text: string): string | null {
  if (isIP(text) !== 0) return text.toLowerCase();
  const name = canonicalHost(domainToASCII(text));
  return asciiName.test(name) ? name : null;
}

/** A host name as it is compared: lower case, without the root's trailing dot. */
export function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** `host:port` of a CONNECT request, IPv6 in brackets. Null when it is neither. */
export function parseAuthority(target: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:@?#[\]]+)):(\d{1,5})$/.exec(target);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65535) return null;
  return { host: canonicalHost(host), port };
}

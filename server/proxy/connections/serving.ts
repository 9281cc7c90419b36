import { type Authority, openAuthority } from '../certificates/authority.ts';
import { type UpstreamDeps, Upstreams } from '../upstream/upstream.ts';
import { serveConnection } from './connections.ts';

/** What connections are served with. It needs TLS, 3 MB that a proxy does without until it first listens. */
export interface Serving {
  readonly authority: Authority;
  readonly upstreams: Upstreams;
  readonly serveConnection: typeof serveConnection;
}

/** `permitted`: the hosts that certificates may be valid for. @throws CoachError `disk.readOnly` */
export async function openServing(
  caDirectory: string,
  permitted: readonly string[],
  upstream: UpstreamDeps,
): Promise<Serving> {
  const authority = await openAuthority(caDirectory, permitted, upstream.env);
  return { authority, upstreams: new Upstreams(upstream), serveConnection };
}

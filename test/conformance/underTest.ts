import type { Bench, OriginPlace } from './bench.ts';

/** A proxy that decrypts, ours or another. */
export interface ProxyUnderTest {
  readonly name: string;
  /**
   * Makes a TLS origin of this machine reachable through the proxy. `host` is `new` when the proxy must not have seen
   * the name before. The proxy trusts `bench.caFile`.
   */
  route(origin: OriginPlace, host: 'usual' | 'new'): Promise<Route>;
  /** Ends the proxy and starts it again over the same files. Routes from before are void. Absent where impossible. */
  restart?(): Promise<void>;
}

/** How a client reaches one origin. */
export interface Route {
  /** Port of the proxy on 127.0.0.1. */
  readonly port: number;
  /** Name to CONNECT to, to send as Host and to check the certificate for. IPv6 without brackets. */
  readonly host: string;
  readonly hostPort: number;
  /** Value of `Proxy-Authorization`, or null. */
  readonly authorization: string | null;
  /** What the client trusts inside the tunnel, as PEM. */
  readonly caPem: string;
}

export interface Check {
  /** What must hold. */
  readonly name: string;
  /** Rejects, with the difference, when it does not. */
  run(bench: Bench): Promise<void>;
}

import type { Way } from './connection.ts';

/** Everything stored under a run's name, each as it was sent. */
export interface Stored {
  readonly rows: number;
  /** Request and response of some rows, as text. */
  readonly sample: readonly { readonly request: string; readonly response: string }[];
}

/** A proxy under test, or none at all. */
export interface Contestant {
  readonly name: string;
  /** Null for the direct way. */
  readonly pid: number | null;
  /** Resident memory as it started, before anything was asked of it; null for the direct way and without /proc. */
  readonly idleBytes: number | null;
  way(host?: string): Way;
  /** Null when it records nothing. Waits until what was handed in is stored. */
  readonly stored: ((run: string, expectedRows: number) => Promise<Stored>) | null;
  stop(): Promise<void>;
}

export interface World {
  readonly scratch: string;
  readonly upstreamPort: number;
  readonly caFile: string;
  /** Hosts beside the usual one that lead to the upstream, for first handshakes. */
  readonly freshHosts: readonly string[];
}

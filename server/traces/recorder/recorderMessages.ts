import type { ErrorShape } from '../../../protocol/errors.ts';
import type { SessionSummary } from '../../../protocol/sessions.ts';
import type { Cost, Usage } from '../../../protocol/usage.ts';
import type { UpkeepReport, UpkeepTask } from '../upkeep/upkeepTask.ts';
import type { StorageNews } from './storageNews.ts';

/** Where a tapped connection goes and who opened it. */
export interface ConnectionOrigin {
  /** What the agent addressed, also when an override sends it elsewhere. */
  readonly host: string;
  readonly port: number;
  readonly scheme: 'https' | 'http';
  readonly launch: LaunchOrigin | null;
}

export interface LaunchOrigin {
  readonly id: string;
  /** Null where the sessions tell it themselves. */
  readonly agent: string | null;
  readonly label: string | null;
  readonly trialId: string | null;
  readonly replay: boolean;
  /** Where its agent was started; null where that tells nothing. */
  readonly directory?: string | null;
}

/** What goes to the recording side, a worker thread in the built server. Structured-clone safe. */
export type RecorderMessage =
  /** `resumed`: the connection is not new, what it carried before is missing. */
  | {
      readonly kind: 'open';
      readonly connection: number;
      readonly origin: ConnectionOrigin;
      readonly resumed?: ConnectionStart;
    }
  | {
      readonly kind: 'bytes';
      readonly connection: number;
      readonly direction: 'up' | 'down';
      readonly bytes: Uint8Array;
      readonly atMs: number;
    }
  | { readonly kind: 'close'; readonly connection: number; readonly atMs: number }
  /** The traffic was too much to copy: bytes of this connection are missing here. */
  | { readonly kind: 'gap'; readonly connection: number; readonly reason: string }
  /** Something went unrecorded that nobody else notes down. */
  | { readonly kind: 'lost'; readonly host: string; readonly reason: string }
  | {
      readonly kind: 'deny';
      readonly launch: LaunchOrigin;
      readonly host: string;
      readonly port: number;
      readonly reason: string;
      readonly atMs: number;
    }
  | { readonly kind: 'hide'; readonly secret: string; readonly fresh?: boolean }
  | { readonly kind: 'forget'; readonly secret: string }
  | { readonly kind: 'upkeep'; readonly id: number; readonly task: UpkeepTask }
  | { readonly kind: 'flush'; readonly id: number }
  /** Stop, unless there is something left to do: then the answer is `awake`. */
  | { readonly kind: 'rest' }
  | { readonly kind: 'stop' };

/** The first bytes of a connection that may be a WebSocket: how it began is known from them alone. */
export interface ConnectionStart {
  readonly up: Uint8Array | null;
  readonly down: Uint8Array | null;
}

export type RecorderEvent =
  | {
      readonly kind: 'exchange';
      readonly id: string;
      readonly launchId: string | null;
      readonly sessionId: string;
      readonly model: string | null;
      readonly usage: Usage;
      readonly cost: Cost;
      /** Why it has no reply, or not a whole one; null for success. */
      readonly failure: string | null;
    }
  | { readonly kind: 'session'; readonly session: SessionSummary }
  /** Characters of a reply that is still streaming; 0 when it has ended. */
  | {
      readonly kind: 'streaming';
      readonly launchId: string | null;
      readonly connection: number;
      readonly characters: number;
    }
  /** Bytes went to a model host and no exchange could be read from them. */
  | { readonly kind: 'uncaptured'; readonly host: string; readonly reason: string; readonly count?: number }
  /** Nothing can be stored for now, or that is over. What is lost by it is told as `uncaptured`. */
  | ({ readonly kind: 'storage' } & StorageNews);

/** What the recorder's thread is started with. */
export interface WorkerOptions {
  readonly file: string;
  readonly idleMs: number;
}

/** What comes back, from the thread in lists. `done`: so many bytes were worked off. */
export type RecorderAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: ErrorShape }
  | { readonly kind: 'event'; readonly event: RecorderEvent }
  | { readonly kind: 'done'; readonly sizeBytes: number }
  /** A key that a request has shown, hidden from then on: for others to hide. */
  | { readonly kind: 'credential'; readonly value: string }
  | {
      readonly kind: 'upkept';
      readonly id: number;
      readonly report: UpkeepReport | null;
      readonly fault: string | null;
    }
  | { readonly kind: 'flushed'; readonly id: number }
  | { readonly kind: 'awake' };

/** A piece of a reply, and when it is due: milliseconds after the request. */
export interface ReplayPart {
  readonly atMs: number;
  readonly text: string;
}

export interface ReplayReply {
  readonly contentType: string;
  readonly parts: Iterable<ReplayPart>;
}

/** A request that the source has no answer to, in words that show the nearest one it has. */
export interface ReplayMiss {
  readonly mismatch: string;
}

/** What a replay answers from. It keeps no state between requests, so any number of agents can use one at a time. */
export interface ReplaySource {
  /** The model that it answers as. */
  readonly model: string;
  /** `path` without query; `body` as JSON. Null when the path is no call of a model that it knows. */
  answer(path: string, body: unknown): ReplayReply | ReplayMiss | null;
}

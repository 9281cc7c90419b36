import type { ServerResponse } from 'node:http';
import type { Api } from '../../../protocol/api.ts';
import { methodOf } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { Emitter } from '../../base/emitter.ts';
import { Refusal } from './refusal.ts';

export interface PublishedEvent {
  /** `<api>.<event>`, such as `runs.progress`. */
  readonly name: string;
  readonly payload: unknown;
}

export interface Published {
  /** Every name that there is. */
  readonly names: readonly string[];
  readonly events: Emitter<PublishedEvent>;
}

/** What the server publishes of some apis, for as long as the channel lasts. */
export function publishedOf(apis: readonly Api[], channel: Pick<Channel, 'onNotify'>): Published {
  const events = new Emitter<PublishedEvent>();
  const names: string[] = [];
  for (const api of apis) {
    for (const [member, spec] of Object.entries(api.members)) {
      if (spec.kind !== 'event') continue;
      const name = `${api.name}.${member}`;
      names.push(name);
      channel.onNotify(methodOf(api.name, member), raw => {
        const parsed = spec.payload.safeParse(raw);
        if (parsed.success) events.fire({ name, payload: parsed.data });
      });
    }
  }
  return { names, events };
}

/** The events that a query asks for by `event=<name>`, all of them without one. */
export function chosenEvents(query: URLSearchParams, { names }: Published): ReadonlySet<string> {
  const asked = query.getAll('event');
  const unknown = asked.filter(name => !names.includes(name));
  if (unknown.length === 0) return new Set(asked.length === 0 ? names : asked);
  throw new Refusal(400, `No such event: ${unknown.join(', ')}`, { hint: `There are: ${names.join(', ')}` });
}

/** Keeps clients and what is between from taking silence for an end. */
const aliveMs = 15_000;
/** Of what a reader does not take; above that it is let go. */
const maxUnreadBytes = 8 * 1024 * 1024;
/** How long a reader may take nothing of an answer that is whole. */
const stalledMs = 30_000;

/** Ends the connection of a reader who has stopped, after that time or up to twice of it: its answer is kept in memory. */
export function letGoWhenStalled(response: ServerResponse, afterMs = stalledMs): void {
  // Whether bytes were taken is looked at whenever it is over. Without a listener Node destroys the connection.
  response.setTimeout(afterMs);
}

/** An answer as server-sent events (WHATWG HTML, 9.2). */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;

  /** `response`: with nothing written yet but its headers set. */
  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    this.#alive = setInterval(() => response.write(': alive\n\n'), aliveMs);
    response.once('close', () => clearInterval(this.#alive));
  }

  send(name: string, payload: unknown): void {
    if (this.#response.writableLength > maxUnreadBytes) this.#response.destroy();
    else this.#response.write(`event: ${name}\ndata: ${JSON.stringify(payload ?? null)}\n\n`);
  }

  end(): void {
    clearInterval(this.#alive);
    letGoWhenStalled(this.#response);
    this.#response.end();
  }
}

import type { DialectReader } from '../../traces/dialects/dialect.ts';
import { isObject } from '../../traces/json.ts';
import { workingDirectory } from '../../traces/sessions/conversationId.ts';
import type { ListPart, OutlinedRequest } from '../../traces/storage/storedRequests.ts';
import { type Lines, linesOf, offersTools, operationOf, spoken, spokenItem } from './conversationKey.ts';
import { contextKey, type RequestKey, type Trail, trailOf } from './requestKey.ts';

/** What is to be known of a conversation before its lines can be told. */
interface PartFacts {
  readonly cwd: string | null;
  readonly offersTools: boolean;
}

interface PartTrails {
  readonly said: Trail;
  readonly context: Trail;
}

interface OpenPart {
  readonly before: PartTrails | null;
  readonly part: ListPart;
}

interface KeyOptions {
  readonly anyPrompt: boolean;
  /** Takes secrets out of a value. */
  readonly clean: (value: unknown) => unknown;
}

/** Openings of requests whose lines are kept: most requests of a session have the same. */
const keptOpenings = 50;

/** Makes the keys of a session's requests, each at the cost of what it adds to those before it. */
export class RequestKeys {
  readonly #options: KeyOptions;
  readonly #facts = new WeakMap<ListPart, PartFacts>();
  /** By working directory: it stands in for itself in every line. */
  readonly #trails = new Map<string | null, WeakMap<ListPart, PartTrails>>();
  readonly #openings = new Map<string, Lines>();

  constructor(options: KeyOptions) {
    this.#options = options;
  }

  /** With the working directory. Null for a request whose key only the whole of it tells: it is no conversation. */
  of(dialect: DialectReader, path: string, { request, list }: OutlinedRequest): Keyed | null {
    if (list === null) return null;
    const opening = this.#options.clean(request);
    // A conversation elsewhere names no directory and has no tools in it.
    const isInput = dialect.listField === 'input' && isObject(opening) && Array.isArray(opening['input']);
    const facts = isInput
      ? along(list, this.#facts, this.#factsOf)
      : { cwd: workingDirectory(opening), offersTools: false };
    const { cwd } = facts;
    const lines = this.#opening(dialect, opening, cwd);
    const trails = along(list, this.#trailsAt(cwd), (before: PartTrails | null, part) =>
      this.#trailsOf(dialect, cwd, { before, part }),
    );
    const isSilent = trails.said.length + trails.context.length + lines.context.length === 0;
    if (lines.said.length > 0 || isSilent) return null;
    return {
      operation: operationOf(path),
      offersTools: offersTools(opening) || facts.offersTools,
      said: trails.said,
      context: contextKey(trailOf(lines.context), trails.context),
      cwd,
    };
  }

  readonly #factsOf = (before: PartFacts | null, part: ListPart): PartFacts => {
    const own = { input: this.#options.clean(part.elements()) };
    return {
      cwd: workingDirectory(own) ?? before?.cwd ?? null,
      offersTools: before?.offersTools === true || offersTools(own),
    };
  };

  #trailsOf(dialect: DialectReader, cwd: string | null, { before, part }: OpenPart): PartTrails {
    const items = part.elements().map(element => spokenItem(dialect, this.#options.clean(element)));
    const { said, context } = linesOf(items, cwd, this.#options.anyPrompt);
    return { said: trailOf(said, before?.said), context: trailOf(context, before?.context) };
  }

  #trailsAt(cwd: string | null): WeakMap<ListPart, PartTrails> {
    const trails = this.#trails.get(cwd) ?? new WeakMap<ListPart, PartTrails>();
    this.#trails.set(cwd, trails);
    return trails;
  }

  #opening(dialect: DialectReader, opening: unknown, cwd: string | null): Lines {
    const [before] = spoken(dialect, opening);
    const name = JSON.stringify([cwd, before.utterances]);
    const lines = this.#openings.get(name) ?? linesOf([before], cwd, this.#options.anyPrompt);
    if (this.#openings.size === keptOpenings) this.#openings.clear();
    this.#openings.set(name, lines);
    return lines;
  }
}

/** A key, and the directory that the agent worked in. */
export type Keyed = RequestKey & { readonly cwd: string | null };

/** What a list comes to, put together from its first part on; what is known of its parts is not made again. */
function along<T extends object>(
  list: ListPart,
  known: WeakMap<ListPart, T>,
  next: (before: T | null, part: ListPart) => T,
): T {
  const unread: ListPart[] = [];
  let made: T | null = null;
  let at: ListPart | null = list;
  for (; at !== null; at = at.before) {
    made = known.get(at) ?? null;
    if (made !== null) break;
    unread.push(at);
  }
  for (const part of unread.reverse()) {
    made = next(made, part);
    known.set(part, made);
  }
  return made as T;
}

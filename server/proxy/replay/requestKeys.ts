import type { DialectReader } from '../../traces/dialects/dialect.ts';
import { isObject } from '../../traces/json.ts';
import { agentDirectory } from '../../traces/sessions/agentDirectory.ts';
import { workingDirectory } from '../../traces/sessions/conversationId.ts';
import type { ListPart, OutlinedRequest } from '../../traces/storage/storedRequests.ts';
import {
  type Lines,
  linesOf,
  offersTools,
  operationOf,
  type Spoken,
  saidIn,
  spoken,
  spokenItem,
} from './conversationKey.ts';
import { contextKey, type RequestKey, type Trail, trailOf } from './requestKey.ts';

/** What is to be known of a conversation before its lines can be told. */
interface PartFacts {
  readonly cwd: string | null;
  /** What the agent's program calls its directory, see `agentDirectory`. */
  readonly named: string | null | undefined;
  readonly offersTools: boolean;
}

interface PartTrails {
  readonly said: Trail;
  readonly context: Trail;
}

interface OpenPart<T> {
  readonly before: T | null;
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
    const [before] = spoken(dialect, opening);
    // In a conversation elsewhere, Codex names no directory and no tools stand.
    const isInput = dialect.listField === 'input' && isObject(opening) && Array.isArray(opening['input']);
    const facts = along(list, this.#facts, (known: PartFacts | null, part) =>
      this.#factsOf(dialect, isInput, { before: known, part }),
    );
    const said = agentDirectory(before.utterances);
    const cwd = (isInput ? facts.cwd : workingDirectory(opening)) ?? (said === undefined ? facts.named : said) ?? null;
    const lines = this.#opening(before, cwd);
    const trails = along(list, this.#trailsAt(cwd), (known: PartTrails | null, part) =>
      this.#trailsOf(dialect, cwd, { before: known, part }),
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

  #factsOf(dialect: DialectReader, isInput: boolean, { before, part }: OpenPart<PartFacts>): PartFacts {
    const isNamed = before !== null && before.named !== undefined;
    if (isNamed && !isInput) return before;
    const input = this.#options.clean(part.elements()) as unknown[];
    const named = isNamed ? before.named : agentDirectory(input.flatMap(item => saidIn(spokenItem(dialect, item))));
    if (!isInput) return { cwd: null, named, offersTools: false };
    return {
      cwd: workingDirectory({ input }) ?? before?.cwd ?? null,
      named,
      offersTools: before?.offersTools === true || offersTools({ input }),
    };
  }

  #trailsOf(dialect: DialectReader, cwd: string | null, { before, part }: OpenPart<PartTrails>): PartTrails {
    const items = part.elements().map(element => spokenItem(dialect, this.#options.clean(element)));
    const { said, context } = linesOf(items, cwd, this.#options.anyPrompt);
    return { said: trailOf(said, before?.said), context: trailOf(context, before?.context) };
  }

  #trailsAt(cwd: string | null): WeakMap<ListPart, PartTrails> {
    const trails = this.#trails.get(cwd) ?? new WeakMap<ListPart, PartTrails>();
    this.#trails.set(cwd, trails);
    return trails;
  }

  #opening(before: Spoken, cwd: string | null): Lines {
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

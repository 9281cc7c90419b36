import type { SessionSummary } from '../../protocol/sessions.ts';

/** Which sessions are shown; what is left out does not narrow. The same words as `sessions.list`. */
export interface SessionFilter {
  readonly agent?: string;
  readonly model?: string;
  /** A directory: sessions in it or below it. */
  readonly repository?: string;
  /** In the title, without regard to case. */
  readonly text?: string;
}

interface Page {
  readonly rows: readonly SessionSummary[];
  readonly next: string | null;
}

/** Asks for the page after a cursor; undefined is the first. */
type LoadPage = (before: string | undefined) => Promise<Page>;

/** The sessions loaded so far, last active first. What changes meanwhile moves to its place; nothing is asked for again. */
export class SessionPages {
  readonly #load: LoadPage;
  #first: Promise<void> | undefined;
  #asked = 0;
  #rows: readonly SessionSummary[] = [];
  /** Undefined until the first page came, null after the last. */
  #next: string | null | undefined;

  constructor(load: LoadPage) {
    this.#load = load;
  }

  get rows(): readonly SessionSummary[] {
    return this.#rows;
  }

  get hasMore(): boolean {
    return typeof this.#next === 'string';
  }

  get isLoaded(): boolean {
    return this.#next !== undefined;
  }

  /** Loads the first page, unless it is there or on its way. */
  load(): Promise<void> {
    this.#first ??= this.#loadFirst(++this.#asked);
    return this.#first;
  }

  /** The next `load` asks again; what is known stays until that is answered. */
  forget(): void {
    this.#first = undefined;
  }

  async loadMore(): Promise<void> {
    const [asked, from] = [this.#asked, this.#next];
    if (typeof from !== 'string') return;
    const { rows, next } = await this.#load(from);
    // Begun anew meanwhile, or answered twice: it does not go on from what is shown.
    if (asked !== this.#asked || from !== this.#next) return;
    const known = new Set(this.#rows.map(({ id }) => id));
    this.#rows = [...this.#rows, ...rows.filter(({ id }) => !known.has(id))];
    this.#next = next;
  }

  async #loadFirst(asked: number): Promise<void> {
    try {
      const { rows, next } = await this.#load(undefined);
      // Forgotten and asked for again meanwhile: the newer answer counts.
      if (asked !== this.#asked) return;
      this.#rows = rows;
      this.#next = next;
    } catch (error) {
      if (asked === this.#asked) this.#first = undefined;
      throw error;
    }
  }

  /** Takes in what is known of a session now. Nothing before the first page: that will have it. */
  put(session: SessionSummary): void {
    if (!this.isLoaded) return;
    const others = this.#rows.filter(({ id }) => id !== session.id);
    const place = others.findIndex(({ endedAt }) => endedAt <= session.endedAt);
    // Older than all that is loaded: it comes with its own page.
    if (place < 0 && this.hasMore) this.#rows = others;
    else this.#rows = others.toSpliced(place < 0 ? others.length : place, 0, session);
  }
}

/** What the server's filter says of one session, for those that are told of one by one. */
export function matches(session: SessionSummary, { agent, model, repository, text }: SessionFilter): boolean {
  if (agent !== undefined && session.agent !== agent) return false;
  if (model !== undefined && !session.models.includes(model)) return false;
  if (text !== undefined && !session.title.toLowerCase().includes(text.toLowerCase())) return false;
  if (repository === undefined) return true;
  return session.repository === repository || (session.repository?.startsWith(`${repository}/`) ?? false);
}

/** Sessions by the local day of their last activity, in their order. */
export function byDay(rows: readonly SessionSummary[]): { day: string; sessions: SessionSummary[] }[] {
  const days: { day: string; sessions: SessionSummary[] }[] = [];
  for (const session of rows) {
    const day = dayOf(new Date(session.endedAt));
    const last = days.at(-1);
    if (last?.day === day) last.sessions.push(session);
    else days.push({ day, sessions: [session] });
  }
  return days;
}

/** `2026-11-21`, in local time. */
export function dayOf(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

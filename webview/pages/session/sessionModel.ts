import type {
  ConversationLine,
  Exchange,
  LineKind,
  RequestChanges,
  SessionOpening,
  SessionReport,
  SessionSummary,
} from '../../../protocol/sessions.ts';

type Outline = readonly { readonly exchangeId: string; readonly kinds: readonly LineKind[] }[];

/** What of the conversation is shown; each hides or shows several kinds of lines. */
export type Part = 'messages' | 'tools' | 'reasoning' | 'context';

const partOf: Readonly<Record<LineKind, Part>> = {
  prompt: 'messages',
  assistant: 'messages',
  tool: 'tools',
  output: 'tools',
  reasoning: 'reasoning',
  context: 'context',
  instructions: 'context',
  other: 'context',
};

export type Row =
  | { readonly kind: 'exchange'; readonly key: string; readonly index: number }
  | { readonly kind: 'line'; readonly key: string; readonly number: number; readonly line: LineKind };

export interface LineText {
  readonly text: string;
  readonly output: string | null;
  readonly isCut: boolean;
}

/** What the session page knows. Lines and texts come when they are on the screen; the outline says how many there are. */
export class SessionModel {
  session: SessionSummary | null = null;
  /** False while only the beginning of the session was read: its sums are not known then. */
  hasTotals = false;
  report: SessionReport | null = null;
  readonly lines = new Map<number, ConversationLine>();
  readonly texts = new Map<number, LineText>();
  readonly unfolded = new Set<number>();
  readonly #hidden = new Set<Part>();
  /** By exchange; null where there is nothing to compare. */
  readonly changes = new Map<string, RequestChanges | null>();
  readonly unfoldedChanges = new Set<string>();
  /** Lines that hold the text that is searched for. */
  hits: readonly number[] = [];
  hit = -1;
  #isOutlined = false;
  /** Kinds of the lines of each exchange, as far as they are known. */
  #kinds: readonly (readonly LineKind[])[] = [];
  #exchangeOf: number[] = [];
  #exchanges: readonly Exchange[] = [];
  /** Made anew only when they change: there can be tens of thousands. */
  #rows: readonly Row[] | null = null;

  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }

  set exchanges(exchanges: readonly Exchange[]) {
    this.#exchanges = exchanges;
    this.#rows = null;
  }

  isHidden(part: Part): boolean {
    return this.#hidden.has(part);
  }

  show(part: Part, isShown: boolean): void {
    if (isShown) this.#hidden.delete(part);
    else this.#hidden.add(part);
    this.#rows = null;
  }

  /** True once the conversation was put together to its end. */
  get isOutlined(): boolean {
    return this.#isOutlined;
  }

  /** Shows a session's first lines. What its list said of it stays. */
  open({ session, hasTotals, exchanges, rows, lines }: SessionOpening): void {
    if (hasTotals || this.session === null) this.session = session;
    this.hasTotals ||= hasTotals;
    this.exchanges = exchanges;
    this.#layOut(rows);
    for (const line of lines) this.lines.set(line.number, line);
  }

  outline(rows: Outline): void {
    this.#isOutlined = true;
    this.#layOut(rows);
  }

  #layOut(rows: Outline): void {
    const byId = new Map(rows.map(row => [row.exchangeId, row.kinds]));
    this.#kinds = this.exchanges.map(({ id }) => byId.get(id) ?? []);
    this.#exchangeOf = this.#kinds.flatMap((kinds, index) => kinds.map(() => index));
    this.#rows = null;
  }

  /** Which exchange brought a line. */
  exchangeOf(line: number): number {
    return this.#exchangeOf[line] ?? 0;
  }

  /** What is listed, with what is hidden left out. */
  rows(): readonly Row[] {
    this.#rows ??= this.#listRows();
    return this.#rows;
  }

  #listRows(): Row[] {
    let number = 0;
    return this.exchanges.flatMap((_, index): Row[] => {
      const lines = (this.#kinds[index] ?? []).map((line): Row => {
        const own = number++;
        return { kind: 'line', key: `l${own}`, number: own, line };
      });
      const shown = lines.filter(row => row.kind === 'line' && !this.#hidden.has(partOf[row.line]));
      return [{ kind: 'exchange', key: `x${index}`, index }, ...shown];
    });
  }

  /** Hits among what is not hidden. */
  shownHits(): number[] {
    const kinds = this.#kinds.flat();
    return this.hits.filter(number => {
      const kind = kinds[number];
      return kind !== undefined && !this.#hidden.has(partOf[kind]);
    });
  }
}

export function hasFailed({ error, status }: Exchange): boolean {
  return error !== null || (status ?? 200) >= 400;
}

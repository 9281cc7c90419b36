import { lineIds } from '../../../protocol/lineIds.ts';
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
export const parts = ['messages', 'tools', 'reasoning', 'context'] as const;
export type Part = (typeof parts)[number];

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

export interface LineRow {
  readonly kind: 'line';
  /** Its id, which stays while its number shifts. */
  readonly key: string;
  /** Of its exchange. */
  readonly index: number;
  readonly number: number;
  readonly line: LineKind;
}

export type Row = { readonly kind: 'exchange'; readonly key: string; readonly index: number } | LineRow;

interface Layout {
  readonly rows: readonly Row[];
  /** By number, what is hidden included. */
  readonly lines: readonly LineRow[];
  readonly byKey: ReadonlyMap<string, LineRow>;
}

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
  /** These three by the keys of their rows. */
  readonly lines = new Map<string, ConversationLine>();
  readonly texts = new Map<string, LineText>();
  readonly unfolded = new Set<string>();
  readonly #hidden = new Set<Part>();
  /** By exchange; null where there is nothing to compare. */
  readonly changes = new Map<string, RequestChanges | null>();
  readonly unfoldedChanges = new Set<string>();
  /** Keys of the lines that hold the text that is searched for. */
  hits: readonly string[] = [];
  hit = -1;
  #isOutlined = false;
  /** Kinds of the lines of each exchange, by its id, as far as they are known. */
  #kinds: ReadonlyMap<string, readonly LineKind[]> = new Map();
  #exchanges: readonly Exchange[] = [];
  /** Made anew only when it changes: there can be tens of thousands of rows. */
  #layout: Layout | null = null;

  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }

  set exchanges(exchanges: readonly Exchange[]) {
    const first = exchanges.findIndex(({ id }, index) => id !== this.#exchanges[index]?.id);
    // A request is compared with the one before it, which may be another now.
    if (first >= 0) for (const { id } of exchanges.slice(first)) this.changes.delete(id);
    this.#exchanges = exchanges;
    this.#layout = null;
  }

  get hidden(): readonly Part[] {
    return [...this.#hidden];
  }

  isHidden(part: Part): boolean {
    return this.#hidden.has(part);
  }

  show(part: Part, isShown: boolean): void {
    if (isShown) this.#hidden.delete(part);
    else this.#hidden.add(part);
    this.#layout = null;
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
    this.#know(rows);
    this.keep(lines);
  }

  outline(rows: Outline): void {
    this.#isOutlined = true;
    this.#know(rows);
  }

  #know(rows: Outline): void {
    this.#kinds = new Map(rows.map(row => [row.exchangeId, row.kinds]));
    this.#layout = null;
  }

  /** What is listed, with what is hidden left out. */
  rows(): readonly Row[] {
    return this.#layOut().rows;
  }

  line(key: string): LineRow | undefined {
    return this.#layOut().byKey.get(key);
  }

  /** Keys of these lines of the session. */
  keysOf(numbers: readonly number[]): string[] {
    const { lines } = this.#layOut();
    return numbers.flatMap(number => lines[number]?.key ?? []);
  }

  /** Keeps what lines say, but for those that are of a session that has grown otherwise since it was laid out. */
  keep(lines: readonly ConversationLine[]): void {
    const rows = this.#layOut().lines;
    for (const line of lines) {
      const row = rows[line.number];
      if (row?.line === line.kind) this.lines.set(row.key, line);
    }
  }

  #layOut(): Layout {
    this.#layout ??= this.#makeLayout();
    return this.#layout;
  }

  #makeLayout(): Layout {
    const rows: Row[] = [];
    const lines: LineRow[] = [];
    for (const [index, { id }] of this.exchanges.entries()) {
      rows.push({ kind: 'exchange', key: `x${index}`, index });
      const kinds = this.#kinds.get(id) ?? [];
      const keys = lineIds(id, kinds);
      for (const [place, line] of kinds.entries()) {
        const row: LineRow = { kind: 'line', key: keys[place] ?? '', index, number: lines.length, line };
        lines.push(row);
        if (this.#isShown(row)) rows.push(row);
      }
    }
    return { rows, lines, byKey: new Map(lines.map(row => [row.key, row])) };
  }

  #isShown({ line }: LineRow): boolean {
    return !this.#hidden.has(partOf[line]);
  }

  /** Hits among what is not hidden. */
  shownHits(): string[] {
    return this.hits.filter(key => {
      const row = this.line(key);
      return row !== undefined && this.#isShown(row);
    });
  }
}

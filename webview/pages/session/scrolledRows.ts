import * as l10n from '@vscode/l10n';
import { el, type View } from '../../components/element.ts';
import { VirtualRows } from '../../components/virtualRows.ts';
import type { Row } from './sessionModel.ts';

/** Drawn above and below the window, so that scrolling and the Tab key find the next row there. */
const marginPx = 600;
/** How often a row is put in its place again while the rows above it are measured. */
const maxSettling = 4;

const guesses: Readonly<Record<Row['kind'] | 'prompt' | 'assistant', number>> = {
  exchange: 40,
  line: 24,
  prompt: 72,
  assistant: 72,
};

/** A row, and how far it begins below the bar: less than nothing for one that is read from its middle. */
interface Place {
  readonly key: string;
  readonly belowBarPx: number;
}

/**
 * The rows that the window shows of a list that scrolls with the document. What is in the middle of being read stays
 * where it is when rows above it turn out higher than guessed.
 */
export class ScrolledRows {
  readonly #heights = new VirtualRows();
  #rows: readonly Row[] = [];
  /** A row to be put below the bar, until it stands there. */
  #target: (Place & { tries: number }) | null = null;

  set(rows: readonly Row[]): void {
    if (rows === this.#rows) return;
    const before = this.#rows;
    const read = this.place();
    this.#rows = rows;
    const byKey = new Map(rows.map(row => [row.key, row]));
    this.#heights.set(
      rows.map(row => row.key),
      key => guessOf(byKey.get(key)),
    );
    if (this.#target === null && read !== null) this.#stayAt(read, before);
  }

  /** Rows on the screen and a little beyond. */
  shown(): readonly Row[] {
    const [first, end] = this.#range();
    return this.#rows.slice(first, end);
  }

  /** The list with nothing but space in the place of what is not shown. */
  draw(drawRow: (row: Row) => readonly View[]): View {
    const [first, end] = this.#range();
    const space = (key: string, heightPx: number) =>
      el('div', { key, style: { height: `${heightPx}px` }, attributes: { role: 'presentation' } });
    return el(
      'div',
      { key: 'list', attributes: { id: 'list', role: 'list', 'aria-label': l10n.t('Conversation') } },
      space('above', this.#heights.topOf(first)),
      this.#rows.slice(first, end).map((row, index) =>
        el(
          'div',
          {
            key: row.key,
            class: `r ${row.kind}`,
            attributes: {
              role: 'listitem',
              'aria-setsize': String(this.#rows.length),
              'aria-posinset': String(first + index + 1),
              'data-row': row.key,
            },
          },
          drawRow(row),
        ),
      ),
      space('below', this.#heights.heightPx - this.#heights.topOf(end)),
    );
  }

  /** Measures what was drawn. True when it has to be drawn again. */
  settle(): boolean {
    const anchor = this.#anchor();
    let moved = false;
    for (const element of document.querySelectorAll<HTMLElement>('#list > [data-row]')) {
      const key = element.dataset['row'] ?? '';
      if (this.#heights.measure(key, element.getBoundingClientRect().height)) moved = true;
    }
    const index = anchor === null ? null : this.#heights.indexOf(anchor.key);
    if (anchor === null || index === null) {
      this.#target = null;
      return moved;
    }
    const wanted = Math.max(0, this.#listTop() + this.#heights.topOf(index) - anchor.offsetPx);
    const isThere = Math.abs(wanted - scrollY) < 1;
    if (this.#target !== null && (isThere || ++this.#target.tries > maxSettling)) this.#target = null;
    if (isThere) return moved;
    scrollTo({ top: wanted });
    return true;
  }

  /** What is read stays where it is while rows above it come or go; where it goes itself, the next row takes its place. */
  #stayAt({ key, belowBarPx }: Place, before: readonly Row[]): void {
    const from = before.findIndex(row => row.key === key);
    const next = before.slice(from).find(row => this.#heights.indexOf(row.key) !== null);
    if (next !== undefined) this.goTo(next.key, next.key === key ? belowBarPx : 0);
  }

  goTo(key: string, belowBarPx = 0): void {
    this.#target = { key, belowBarPx, tries: 0 };
  }

  /** What is being read; null at the top of the page. */
  place(): Place | null {
    const anchor = this.#anchor();
    return anchor === null ? null : { key: anchor.key, belowBarPx: Math.round(anchor.offsetPx - barHeight()) };
  }

  /** Which row begins at the top of what can be read: its place among the exchanges counts for j and k. */
  topRow(): Row | undefined {
    const [first] = this.#heights.range(this.#readTop(), this.#readTop() + 1);
    return this.#rows[first];
  }

  #range(): [first: number, end: number] {
    const index = this.#target === null ? null : this.#heights.indexOf(this.#target.key);
    const top =
      index === null || this.#target === null
        ? scrollY - this.#listTop()
        : this.#heights.topOf(index) - this.#target.belowBarPx - innerHeight / 2;
    return this.#heights.range(top - marginPx, top + innerHeight + marginPx);
  }

  /** The row whose place is kept: the one that was jumped to, else the first that is whole on the screen. */
  #anchor(): { key: string; offsetPx: number } | null {
    const barPx = barHeight();
    if (this.#target !== null) return { key: this.#target.key, offsetPx: barPx + this.#target.belowBarPx };
    if (this.#readTop() <= 0) return null;
    const row = this.topRow();
    const index = row === undefined ? null : this.#heights.indexOf(row.key);
    if (row === undefined || index === null) return null;
    return { key: row.key, offsetPx: this.#listTop() + this.#heights.topOf(index) - scrollY };
  }

  /** In the list's own pixels. */
  #readTop(): number {
    return scrollY + barHeight() - this.#listTop();
  }

  #listTop(): number {
    const list = document.getElementById('list');
    return list === null ? 0 : list.getBoundingClientRect().top + scrollY;
  }
}

function guessOf(row: Row | undefined): number {
  if (row?.kind !== 'line') return guesses.exchange;
  return row.line === 'prompt' || row.line === 'assistant' ? guesses[row.line] : guesses.line;
}

/** What stays above the rows; in a small window nothing does. */
function barHeight(): number {
  const bar = document.getElementById('bar');
  return bar === null || getComputedStyle(bar).position !== 'sticky' ? 0 : bar.getBoundingClientRect().height;
}

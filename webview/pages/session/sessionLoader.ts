import type { Remote } from '../../../protocol/api.ts';
import { inTurn } from '../../../protocol/inTurn.ts';
import type { sessions } from '../../../protocol/sessions.ts';
import type { Row, SessionModel } from './sessionModel.ts';

/** Lines asked for at once. */
const pageSize = 100;

/** Fetches what is on the screen, once each until the session grows. Texts of lines come when they are unfolded. */
export class SessionLoader {
  readonly #server: Remote<typeof sessions>;
  readonly #sessionId: string;
  readonly #model: SessionModel;
  readonly #redraw: () => void;
  readonly #asked = new Set<number>();
  readonly #askedTexts = new Set<string>();
  readonly #outlined = Promise.withResolvers<void>();
  #linesPending = 0;
  #changesPending = false;

  constructor(server: Remote<typeof sessions>, sessionId: string, model: SessionModel, redraw: () => void) {
    this.#server = server;
    this.#sessionId = sessionId;
    this.#model = model;
    this.#redraw = redraw;
  }

  /** Resolves once every row of the session has its place. */
  get outlined(): Promise<void> {
    return this.#outlined.promise;
  }

  /** The beginning first, which is there at once; then the whole, which a long session takes a moment for. */
  readonly load = inTurn(() => this.#load());

  async #load(): Promise<void> {
    const model = this.#model;
    if (!model.isOutlined) {
      model.open(await this.#server.opening({ sessionId: this.#sessionId }));
      this.#redraw();
      await nextFrame();
    }
    const { session, exchanges } = await this.#server.exchanges({ sessionId: this.#sessionId });
    model.session = session;
    model.hasTotals = true;
    model.exchanges = exchanges;
    this.#redraw();
    const { rows } = await this.#server.outline({ sessionId: this.#sessionId });
    model.outline(rows);
    this.#outlined.resolve();
    // A session that has grown may have answered a call since: what is shown is asked for again, and stays meanwhile.
    this.#asked.clear();
    this.#askedTexts.clear();
    this.#redraw();
    model.report = await this.#server.summary({ sessionId: this.#sessionId });
    this.#redraw();
  }

  /** Asks for what these rows lack. */
  need(rows: readonly Row[], withChanges: boolean): void {
    if (!this.#model.isOutlined) return;
    const pages = new Set(rows.flatMap(row => (row.kind === 'line' ? [Math.floor(row.number / pageSize)] : [])));
    for (const page of pages) if (!this.#asked.has(page)) void this.#loadLines(page);
    for (const { key } of rows) if (this.#model.unfolded.has(key)) void this.loadText(key).catch(() => undefined);
    // One at a time and after the texts: each reads two whole requests.
    if (withChanges && this.#linesPending === 0 && !this.#changesPending) void this.#loadChanges(rows);
  }

  /** Fetches what a row shows, on which its height depends. */
  async bring(key: string): Promise<void> {
    const row = this.#model.line(key);
    if (row === undefined) return;
    const page = Math.floor(row.number / pageSize);
    if (!this.#asked.has(page)) await this.#loadLines(page);
    if (this.#model.unfolded.has(key)) await this.loadText(key).catch(() => undefined);
  }

  /** Once for each line, until the session has grown: a call may have its output then. */
  async loadText(key: string): Promise<void> {
    const row = this.#model.line(key);
    if (row === undefined || this.#askedTexts.has(key)) return;
    this.#askedTexts.add(key);
    try {
      this.#model.texts.set(key, await this.#server.text({ sessionId: this.#sessionId, line: row.number }));
    } catch (error) {
      this.#askedTexts.delete(key);
      throw error;
    }
    this.#redraw();
  }

  /** Keys of the lines that hold a text. */
  async find(text: string, signal: AbortSignal): Promise<readonly string[]> {
    return this.#model.keysOf((await this.#server.find({ sessionId: this.#sessionId, text }, signal)).lines);
  }

  async #loadLines(page: number): Promise<void> {
    this.#asked.add(page);
    this.#linesPending++;
    try {
      const { lines } = await this.#server.lines({
        sessionId: this.#sessionId,
        from: page * pageSize,
        limit: pageSize,
      });
      this.#model.keep(lines);
    } catch {
      // The server went away; with its return everything is asked for again.
      this.#asked.delete(page);
      return;
    } finally {
      this.#linesPending--;
    }
    this.#redraw();
  }

  async #loadChanges(rows: readonly Row[]): Promise<void> {
    const { exchanges, changes } = this.#model;
    const shown = rows.flatMap(row => (row.kind === 'exchange' ? (exchanges[row.index]?.id ?? []) : []));
    const next = shown.find(id => !changes.has(id));
    if (next === undefined) return;
    this.#changesPending = true;
    // Null where the request was not recorded: there is nothing to compare then.
    changes.set(next, await this.#server.changes({ exchangeId: next }).catch(() => null));
    this.#changesPending = false;
    this.#redraw();
  }
}

/** Resolves when what was asked to be drawn is on the screen: reading the whole may slow the machine down. */
function nextFrame(): Promise<void> {
  return new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
}

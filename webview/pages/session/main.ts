import '../../strict.ts';
import * as l10n from '@vscode/l10n';
import { remote } from '../../../protocol/api.ts';
import { type ServerState, serverLink, sessionPage } from '../../../protocol/pages.ts';
import { SessionSummary, sessions } from '../../../protocol/sessions.ts';
import { el, patch, type View } from '../../components/element.ts';
import { faultWords } from '../../components/fault.ts';
import { icon } from '../../components/icons.ts';
import { registerComponents } from '../../components/toolkit.ts';
import { connectHost } from '../../host.ts';
import type { SessionActions, SessionContext } from './context.ts';
import { exchangeRow } from './exchangeRow.ts';
import { markFound } from './found.ts';
import { header } from './header.ts';
import { lineRow } from './lineRow.ts';
import { Remembered } from './remembered.ts';
import { ScrolledRows } from './scrolledRows.ts';
import { SessionLoader } from './sessionLoader.ts';
import { type Row, SessionModel } from './sessionModel.ts';
import { toolbar } from './toolbar.ts';

/** A person who types is not asked to wait for each letter. */
const searchDelayMs = 200;
/** A session at work grows with every exchange; the page follows at most this often. */
const growDelayMs = 1000;
/** How often one frame is drawn at most until every row has its place. */
const maxPasses = 6;

/** Shows one session, however long: only what is on the screen is fetched and drawn. */
class SessionPage {
  readonly #host = connectHost();
  readonly #server = remote(sessions, this.#host.channel);
  readonly #link = remote(serverLink, this.#host.channel);
  readonly #editor = remote(sessionPage, this.#host.channel);
  readonly #sessionId = document.body.dataset['sessionId'] ?? '';
  readonly #model = new SessionModel();
  readonly #rows = new ScrolledRows();
  readonly #loader = new SessionLoader(this.#server, this.#sessionId, this.#model, () => this.#redraw());
  #state: ServerState = 'idle';
  #fault: string | null = null;
  #query = '';
  #search: AbortController | null = null;
  #showsChanges = true;
  #drawing = false;
  /** False until the page is where the person left it: nothing else is remembered before. */
  #isBack = false;

  start(): void {
    registerComponents();
    this.#comeBack();
    this.#model.session = knownSession();
    this.#model.hasTotals = this.#model.session !== null;
    this.#link.on('changed', ({ state }) => {
      const isBack = state === 'up' && this.#state !== 'up';
      this.#state = state;
      if (isBack) void this.#attempt(() => this.#loader.load());
      this.#redraw();
    });
    let isStale = false;
    this.#server.on('changed', ({ id }) => {
      if (id !== this.#sessionId || isStale) return;
      isStale = true;
      setTimeout(() => {
        isStale = false;
        void this.#attempt(() => this.#loader.load());
      }, growDelayMs);
    });
    addEventListener('scroll', () => this.#redraw(), { passive: true });
    addEventListener('resize', () => this.#redraw());
    addEventListener('keydown', event => this.#key(event));
    this.#redraw();
    void this.#attempt(async () => {
      this.#state = (await this.#link.state({})).state;
      await this.#loader.load();
    });
  }

  /** Puts the page back to how it was left, as soon as there is what it showed. */
  #comeBack(): void {
    const { data: left } = Remembered.safeParse(this.#host.remembered);
    this.#host.remember({ sessionId: this.#sessionId, ...left });
    if (left !== undefined) {
      this.#query = left.query;
      this.#showsChanges = left.showsChanges;
      for (const part of left.hidden) this.#model.show(part, false);
      for (const key of left.unfolded) this.#model.unfolded.add(key);
    }
    void this.#loader.outlined.then(async () => {
      const { place = null, query = '', hit = null } = left ?? {};
      if (place !== null) await this.#loader.bring(place.key);
      // The person may have gone on meanwhile.
      if (place !== null && scrollY === 0) this.#rows.goTo(place.key, place.belowBarPx);
      this.#isBack = true;
      if (query !== '' && query === this.#query) void this.#find(query, hit);
      this.#redraw();
    });
  }

  #left(): Remembered & { sessionId: string } {
    const { hit, hidden, unfolded } = this.#model;
    return {
      sessionId: this.#sessionId,
      place: this.#rows.place(),
      query: this.#query,
      hit: this.#model.shownHits()[hit] ?? null,
      unfolded: [...unfolded],
      hidden: [...hidden],
      showsChanges: this.#showsChanges,
    };
  }

  readonly #actions: SessionActions = {
    search: text => void this.#find(text),
    step: by => this.#step(by),
    show: (part, isShown) => {
      this.#model.show(part, isShown);
      this.#model.hit = Math.min(this.#model.hit, this.#model.shownHits().length - 1);
      this.#redraw();
    },
    showChanges: isShown => {
      this.#showsChanges = isShown;
      this.#redraw();
    },
    toggle: key => this.#unfold(key, !this.#model.unfolded.has(key)),
    toggleChanges: id => {
      const { unfoldedChanges } = this.#model;
      if (!unfoldedChanges.delete(id)) unfoldedChanges.add(id);
      this.#redraw();
    },
    goTo: exchange => {
      this.#rows.goTo(`x${exchange}`);
      this.#redraw();
    },
    openFile: file => void this.#attempt(() => this.#editor.openFile(file)),
    openText: line => void this.#attempt(() => this.#editor.openText({ line })),
    openConversation: () => void this.#attempt(() => this.#editor.openConversation({})),
    exportSession: () => void this.#attempt(() => this.#editor.export({})),
    restartServer: () => void this.#attempt(() => this.#link.restart({})),
  };

  /** Does what the person asked for; a failure is said on the page. */
  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      this.#fault = null;
      await work();
    } catch (error) {
      this.#fault = faultWords(error) ?? this.#fault;
    }
    this.#redraw();
  }

  #unfold(key: string, isOpen: boolean): void {
    if (isOpen) {
      this.#model.unfolded.add(key);
      void this.#attempt(() => this.#loader.loadText(key));
    } else this.#model.unfolded.delete(key);
    this.#redraw();
  }

  /** `at`: the line that was found before and is still looked at; without it the first one is gone to. */
  async #find(text: string, at?: string | null): Promise<void> {
    this.#search?.abort();
    const search = new AbortController();
    this.#search = search;
    this.#query = text;
    this.#model.hits = [];
    this.#redraw();
    await new Promise(resolve => setTimeout(resolve, searchDelayMs));
    if (search.signal.aborted) return;
    await this.#attempt(async () => {
      const hits = text === '' ? [] : await this.#loader.find(text, search.signal);
      if (search.signal.aborted) return;
      this.#search = null;
      this.#model.hits = hits;
      this.#model.hit = this.#model.shownHits().indexOf(at ?? '');
      if (at === undefined && hits.length > 0) this.#step(1);
    });
  }

  #step(by: 1 | -1): void {
    const hits = this.#model.shownHits();
    if (hits.length === 0) return;
    this.#model.hit = (Math.max(this.#model.hit, by < 0 ? 0 : -1) + by + hits.length) % hits.length;
    const key = hits[this.#model.hit] ?? '';
    this.#rows.goTo(key);
    this.#unfold(key, true);
  }

  /** j and k move by exchange, / searches. */
  #key(event: KeyboardEvent): void {
    const isTyping = event.target instanceof HTMLInputElement;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '/') {
      event.preventDefault();
      document.getElementById('find')?.focus();
    }
    if (event.key !== 'j' && event.key !== 'k') return;
    const top = this.#rows.topRow();
    if (top === undefined) return;
    // Within an exchange, back goes to where it begins.
    const next = event.key === 'j' ? top.index + 1 : top.kind === 'line' ? top.index : top.index - 1;
    this.#actions.goTo(Math.min(this.#model.exchanges.length - 1, Math.max(0, next)));
  }

  #redraw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  #draw(): void {
    const { session } = this.#model;
    const context: SessionContext = {
      model: this.#model,
      server: this.#state,
      fault: this.#fault,
      query: this.#query,
      isSearching: this.#search !== null,
      showsChanges: this.#showsChanges && session?.source !== 'codexFile',
      actions: this.#actions,
    };
    if (session === null) {
      patch(document.body, [loading(this.#fault)]);
      return;
    }
    this.#rows.set(this.#model.rows());
    // What is drawn for the first time may be higher than guessed: then it is put right before anyone sees it.
    for (let pass = 0; pass < maxPasses; pass++) {
      patch(document.body, [
        header(session, context),
        toolbar(context),
        el(
          'main',
          { key: 'main' },
          this.#rows.draw(row => this.#row(row, context)),
          end(context),
        ),
      ]);
      if (!this.#rows.settle()) break;
    }
    markFound(this.#query);
    this.#loader.need(this.#rows.shown(), context.showsChanges);
    if (this.#isBack) this.#host.rememberSoon(() => this.#left());
  }

  #row(row: Row, context: SessionContext): View[] {
    return row.kind === 'exchange' ? exchangeRow(row.index, context) : lineRow(row, context);
  }
}

/** What the editor's list said of this session when it was opened from there: enough to begin with. */
function knownSession(): SessionSummary | null {
  const { session } = document.body.dataset;
  return session === undefined ? null : SessionSummary.parse(JSON.parse(session));
}

function loading(fault: string | null): View {
  return el(
    'main',
    { key: 'loading', class: 'loading' },
    fault === null ? icon('agent', 'run', true) : icon('errored', 'error'),
    el('p', {}, fault ?? l10n.t('Loading the session…')),
  );
}

function end({ model }: SessionContext): View {
  const words = !model.isOutlined
    ? l10n.t('Putting the conversation together…')
    : model.exchanges.length === 0
      ? l10n.t('No exchange with a model was recorded.')
      : l10n.t('End of what was recorded.');
  const attributes = { id: 'end', role: 'status', 'data-whole': String(model.isOutlined) };
  return el('p', { key: 'end', class: 'dim pad', attributes }, words);
}

new SessionPage().start();

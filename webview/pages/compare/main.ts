import '../../strict.ts';
import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { remote } from '../../../protocol/api.ts';
import type { Comparison } from '../../../protocol/comparison.ts';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import { comparePage, type ServerState, serverLink } from '../../../protocol/pages.ts';
import { type RunSummary, runs } from '../../../protocol/runs.ts';
import { el, patch, type View } from '../../components/element.ts';
import { faultWords } from '../../components/fault.ts';
import { icon } from '../../components/icons.ts';
import { section } from '../../components/layout.ts';
import { ScrollKeeper } from '../../components/scrollKeeper.ts';
import { serverNotes } from '../../components/serverNotes.ts';
import { button, registerComponents } from '../../components/toolkit.ts';
import { connectHost } from '../../host.ts';
import type { CompareActions, CompareContext } from './context.ts';
import { header } from './header.ts';
import { matrix } from './matrix.ts';
import { scatter } from './scatter.ts';
import { agents, conclusions, failures, verdicts } from './tables.ts';

/** What the page before this one showed, beside how far it was scrolled. */
const Left = z.object({ showsAllTasks: z.boolean() });

/** Compares the agents of some runs. */
class ComparePage {
  readonly #host = connectHost();
  readonly #server = remote(runs, this.#host.channel);
  readonly #link = remote(serverLink, this.#host.channel);
  readonly #editor = remote(comparePage, this.#host.channel);
  readonly #runIds = (document.body.dataset['runIds'] ?? '').split(' ');
  #comparison: Comparison | null = null;
  #runs: readonly RunSummary[] = [];
  #flags = new Map<string, readonly IntegrityFlag[]>();
  #showsAllTasks = Left.safeParse(this.#host.remembered).data?.showsAllTasks ?? false;
  readonly #keeper = new ScrollKeeper(this.#host, () => ({ runIds: this.#runIds, showsAllTasks: this.#showsAllTasks }));
  #state: ServerState = 'idle';
  #fault: string | null = null;

  start(): void {
    registerComponents();
    this.#link.on('changed', ({ state }) => {
      const isBack = state === 'up' && this.#state !== 'up';
      this.#state = state;
      if (isBack) void this.#attempt(() => this.#load());
      this.#draw();
    });
    this.#draw();
    void this.#attempt(() => this.#load());
  }

  readonly #actions: CompareActions = {
    openTrial: trialId => void this.#attempt(() => this.#editor.openTrial({ trialId })),
    chooseRuns: () => void this.#attempt(() => this.#editor.chooseRuns({})),
    showAllTasks: () => {
      this.#showsAllTasks = true;
      this.#keeper.keep();
      this.#draw();
    },
    restartServer: () => void this.#attempt(() => this.#link.restart({})),
  };

  async #load(): Promise<void> {
    this.#state = (await this.#link.state({})).state;
    this.#comparison = await this.#server.compare({ runIds: this.#runIds });
    const shown = await Promise.all(this.#runIds.map(runId => this.#server.show({ runId })));
    this.#runs = shown.map(({ run }) => run);
    this.#flags = new Map(
      shown.flatMap(({ trials }) => trials.flatMap(({ id, flags = [] }) => (flags.length > 0 ? [[id, flags]] : []))),
    );
    this.#keeper.comeBack();
  }

  /** Does what the person asked for; a failure is said on the page. */
  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      this.#fault = null;
      await work();
    } catch (error) {
      this.#fault = faultWords(error) ?? this.#fault;
    }
    this.#draw();
  }

  #draw(): void {
    const comparison = this.#comparison;
    if (comparison === null) {
      patch(document.body, [this.#loading()]);
      return;
    }
    const context: CompareContext = {
      comparison,
      runs: this.#runs,
      flags: this.#flags,
      showsAllTasks: this.#showsAllTasks,
      server: this.#state,
      fault: this.#fault,
      actions: this.#actions,
    };
    patch(document.body, [header(context), el('main', { key: 'main' }, ...this.#parts(context))]);
  }

  #parts(context: CompareContext): View[] {
    return [
      verdicts(context),
      agents(context),
      el(
        'div',
        { key: 'columns', class: 'columns' },
        matrix(context),
        el(
          'div',
          { class: 'right' },
          el(
            'div',
            { class: 'parts' },
            section('cost', l10n.t('Cost against reward'), null, scatter(context)),
            failures(context),
            conclusions(context),
          ),
        ),
      ),
    ];
  }

  #loading(): View {
    const notes = serverNotes(
      { server: this.#state, fault: this.#fault },
      l10n.t('Verdicts are kept.'),
      this.#actions.restartServer,
    );
    return el(
      'main',
      { key: 'loading', class: 'loading-page' },
      this.#fault === null
        ? el('p', { class: 'loading' }, icon('agent', 'run', true), l10n.t('Comparing…'))
        : [...notes, el('p', { class: 'pad' }, button({ onClick: this.#actions.chooseRuns }, l10n.t('Choose runs…')))],
    );
  }
}

new ComparePage().start();

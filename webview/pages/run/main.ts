import '../../strict.ts';
import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { remote } from '../../../protocol/api.ts';
import { type Artifact, runPage, type ServerState, serverLink } from '../../../protocol/pages.ts';
import { runs, type TrialSummary } from '../../../protocol/runs.ts';
import { el, patch } from '../../components/element.ts';
import { faultWords } from '../../components/fault.ts';
import { icon } from '../../components/icons.ts';
import { ScrollKeeper } from '../../components/scrollKeeper.ts';
import { registerComponents } from '../../components/toolkit.ts';
import { connectHost } from '../../host.ts';
import { agentTable } from './agents.ts';
import type { RunActions, RunContext } from './context.ts';
import { detail } from './detail.ts';
import { followEnds } from './follow.ts';
import { header } from './header.ts';
import { runLog } from './journal.ts';
import { lanes } from './lanes.ts';
import { plan } from './plan.ts';
import { RunModel } from './runModel.ts';

/** Events fetched at once when the page catches up with the journal. */
const pageSize = 1000;
/** How often the files of a trial at work are looked at. */
const followMs = 2000;

/** What the page before this one showed, beside how far it was scrolled. */
const Left = z.object({ trialId: z.string().optional() });

/** Starts the page: loads the run, follows its events, draws at most once per frame. */
function start(): void {
  registerComponents();
  const host = connectHost();
  const { runId = '', trialId } = document.body.dataset;
  const run = remote(runs, host.channel);
  const page = remote(runPage, host.channel);
  const link = remote(serverLink, host.channel);
  const model = new RunModel();
  const left = Left.safeParse(host.remembered).data ?? {};
  let selected: string | null = left.trialId ?? trialId ?? null;
  /** Until the person chooses a trial, the page shows the one at work. */
  let chosen = selected !== null;
  const keeper = new ScrollKeeper(host, () => ({ runId, ...(chosen && selected !== null && { trialId: selected }) }));
  let server: ServerState = 'idle';
  let artifacts: readonly Artifact[] = [];
  let tail: RunContext['tail'] = null;
  /** The file whose end is to be shown. */
  let tailOf: string | null = null;
  let fault: string | null = null;
  let drawing = false;

  function redraw(): void {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      draw({ model, selected, server, artifacts, tail, fault, nowMs: Date.now(), actions });
    });
  }

  /** Does what the person asked for; a failure is said on the page. */
  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      fault = null;
      await work();
    } catch (error) {
      fault = faultWords(error) ?? fault;
    }
    redraw();
  }

  const actions: RunActions = {
    select(id) {
      chosen = true;
      select(id);
      keeper.keep();
    },
    cancel: () => void attempt(() => page.cancel({})),
    resume: () => void attempt(() => page.resume({})),
    regrade: () =>
      void attempt(async () => {
        if ((await page.regrade({})).done) await load();
      }),
    openJudgeSetting: () => void attempt(() => page.openJudgeSetting({})),
    openComparison: () => void attempt(() => page.openComparison({})),
    openReport: () => void attempt(() => page.openReport({})),
    reviewDiff: id => void attempt(() => page.reviewDiff({ trialId: id })),
    openSession: sessionId => void attempt(() => page.openSession({ sessionId })),
    openArtifact: (id, path) => void attempt(() => page.openArtifact({ trialId: id, path })),
    tail(id, path) {
      tailOf = path;
      void attempt(() => loadTail(id, path));
    },
    restartServer: () => void attempt(() => link.restart({})),
  };

  function select(id: string): void {
    selected = id;
    artifacts = [];
    tail = null;
    tailOf = null;
    void loadArtifacts();
    redraw();
  }

  async function loadArtifacts(): Promise<void> {
    const id = selected;
    if (id === null) return;
    const { rows } = await page.artifacts({ trialId: id }).catch(() => ({ rows: [] }));
    if (selected === id) artifacts = rows;
    redraw();
  }

  async function loadTail(id: string, path: string): Promise<void> {
    const read = await page.tail({ trialId: id, path });
    if (selected === id && tailOf === path) tail = { path, ...read };
    redraw();
  }

  /** While a trial works its logs grow, and files come into being. */
  function followFiles(): void {
    const trial = model.trial(selected);
    if (trial === undefined || !isAtWork(trial)) return;
    void loadArtifacts();
    if (tail !== null) void loadTail(trial.id, tail.path).catch(() => undefined);
  }

  async function catchUp(): Promise<void> {
    for (;;) {
      const { events } = await run.events({ runId, after: model.lastSeq, limit: pageSize });
      for (const event of events) model.append(event);
      if (events.length < pageSize) return redraw();
    }
  }

  async function load(): Promise<void> {
    ({ state: server } = await link.state({}));
    const shown = await run.show({ runId });
    model.load(shown.run, shown.trials, shown.regrades);
    if (model.trial(selected) === undefined) selected = null;
    selected ??= (shown.trials.find(isAtWork) ?? shown.trials[0])?.id ?? null;
    redraw();
    await Promise.all([catchUp(), loadArtifacts()]);
    keeper.comeBack();
  }

  run.on('changed', changed => {
    model.run = changed;
    // The last files of a trial are written once its end is told.
    if (model.trial(selected)?.phase === 'done') void loadArtifacts();
    redraw();
  });
  run.on('trialChanged', trial => {
    const before = model.trial(trial.id);
    model.change(trial);
    if (!chosen && trial.phase === 'building' && model.trial(selected)?.phase === 'done') select(trial.id);
    if (trial.id === selected && before?.phase !== trial.phase) void loadArtifacts();
    redraw();
  });
  run.on('progress', event => {
    if (!model.append(event)) void catchUp().catch(() => undefined);
    redraw();
  });
  page.on('selected', ({ trialId: wanted }) => actions.select(wanted));
  link.on('changed', ({ state }) => {
    const back = state === 'up' && server !== 'up';
    server = state;
    if (back) void attempt(load);
    redraw();
  });

  setInterval(followFiles, followMs);
  setInterval(() => {
    if (model.run?.state === 'running') redraw();
  }, 1000);
  redraw();
  void attempt(load);
}

function isAtWork({ phase }: TrialSummary): boolean {
  return phase !== 'queued' && phase !== 'done';
}

function draw(context: RunContext): void {
  const { run } = context.model;
  const follow = followEnds();
  patch(document.body, [
    ...(run === null
      ? [
          el(
            'div',
            { key: 'loading', class: 'loading' },
            context.fault === null ? icon('agent', 'run', true) : icon('errored', 'error'),
            el('p', {}, context.fault ?? l10n.t('Loading the run…')),
          ),
        ]
      : [
          header(run, context),
          el(
            'main',
            { key: 'main' },
            el('div', { class: 'left' }, plan(context), lanes(context), agentTable(context), runLog(context)),
            detail(context),
          ),
        ]),
  ]);
  follow();
}

start();

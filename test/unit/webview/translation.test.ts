import * as l10n from '@vscode/l10n';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Comparison } from '../../../protocol/comparison.ts';
import { IntegrityFlag } from '../../../protocol/integrity.ts';
import type { Regrade, RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { LineKind, type RequestChanges } from '../../../protocol/sessions.ts';
import { TrialEnd } from '../../../protocol/trialEnd.ts';
import { noUsage } from '../../../protocol/usage.ts';
import { SessionLines } from '../../../server/traces/sessions/sessionLines.ts';
import { wholeSession } from '../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../server/traces/sessions/sessionReport.ts';
import type { View } from '../../../webview/components/element.ts';
import type { CompareContext } from '../../../webview/pages/compare/context.ts';
import { header as compareHeader } from '../../../webview/pages/compare/header.ts';
import { matrix } from '../../../webview/pages/compare/matrix.ts';
import { scatter } from '../../../webview/pages/compare/scatter.ts';
import { agents, conclusions, failures, verdicts } from '../../../webview/pages/compare/tables.ts';
import { agentTable } from '../../../webview/pages/run/agents.ts';
import type { RunContext } from '../../../webview/pages/run/context.ts';
import { detail } from '../../../webview/pages/run/detail.ts';
import { header as runHeader } from '../../../webview/pages/run/header.ts';
import { runLog } from '../../../webview/pages/run/journal.ts';
import { lanes } from '../../../webview/pages/run/lanes.ts';
import { plan } from '../../../webview/pages/run/plan.ts';
import { RunModel } from '../../../webview/pages/run/runModel.ts';
import type { SessionContext } from '../../../webview/pages/session/context.ts';
import { exchangeRow } from '../../../webview/pages/session/exchangeRow.ts';
import { header as sessionHeader } from '../../../webview/pages/session/header.ts';
import { lineRow } from '../../../webview/pages/session/lineRow.ts';
import { SessionModel } from '../../../webview/pages/session/sessionModel.ts';
import { timeline } from '../../../webview/pages/session/timeline.ts';
import { toolbar } from '../../../webview/pages/session/toolbar.ts';
import { aComparison } from '../../fakes/comparisons.ts';
import { inCyrillic, pseudoLocale, untranslated } from '../../fakes/pseudoLocale.ts';
import { aRun, aTrial, ScriptedRun } from '../../fakes/scriptedRun.ts';
import { anExchange, aRichSession } from '../traces/sessions/aReader.ts';
import { shownTexts } from './shownTexts.ts';

// Its custom elements need a browser; the views only name them.
vi.mock('@vscode/webview-ui-toolkit', () => ({ provideVSCodeDesignSystem: vi.fn(), vsCodeButton: vi.fn() }));

type Shown = View | string | null | undefined | false;

/** Parts that hold nothing but texts of ours and data in Cyrillic letters: what is in Latin ones was forgotten. */
function expectTranslated(...views: readonly Shown[]): void {
  const texts = shownTexts(views);
  expect(texts.length).toBeGreaterThan(0);
  expect(untranslated(texts)).toEqual([]);
}

beforeAll(() => l10n.config({ contents: pseudoLocale() }));
afterAll(() => l10n.config({ contents: {} }));

const nothing = () => undefined;
const servers = ['up', 'starting', 'down'] as const;

describe('the page of a run, in another language', () => {
  const actions = new Proxy({}, { get: () => nothing }) as RunContext['actions'];

  function aContext(
    run: RunSummary,
    trials: readonly TrialSummary[],
    over: Partial<RunContext> & { regrades?: Regrade[]; journal?: RunModel['journal'] } = {},
  ): RunContext {
    const model = new RunModel();
    model.load(inCyrillic(run), inCyrillic(trials), inCyrillic(over.regrades ?? []));
    for (const event of inCyrillic(over.journal ?? [])) model.append(event);
    const selected = model.trials[0]?.id ?? null;
    const nowMs = Date.parse(run.createdAt) + 90_000;
    const rest = { server: 'up', artifacts: [], tail: null, fault: null } as const;
    return { model, selected, nowMs, actions, ...rest, ...over };
  }

  function everything(context: RunContext): View[] {
    const { run } = context.model;
    if (run === null) throw new Error('no run');
    const parts = [plan, lanes, agentTable, runLog, detail].map(part => part(context));
    return [runHeader(run, context), ...parts];
  }

  it.each([0, 1, 4, 7, 9, 20, 100])('says all of it after %i steps', steps => {
    const listener = { changed: nothing, trialChanged: nothing, progress: nothing };
    const script = new ScriptedRun(aRun({ tasks: ['add-median', 'fix-rounding'] }), listener);
    for (let step = 0; step < steps && script.step(); step++);
    expectTranslated(...everything(aContext(script.run, script.trials, { journal: script.journal })));
  });

  it.each(TrialEnd.options)('says what became of a trial that ended %s', end => {
    const trial = aTrial({ phase: 'done', end, startedAt: new Date().toISOString() });
    const run = aRun({ state: 'finished', tasks: [trial.task] });
    expectTranslated(...everything(aContext(run, [trial])));
    expectTranslated(...everything(aContext({ ...run, state: 'cancelled' }, [trial, aTrial({ attempt: 2 })])));
    expectTranslated(...everything(aContext({ ...run, state: 'interrupted' }, [{ ...trial, phase: 'agent' }])));
  });

  it('says what was found about a verdict', () => {
    const flags = IntegrityFlag.shape.kind.options.map(kind => ({ kind, evidence: 'git log', place: 'diff.patch:3' }));
    const criterion = { id: 'clear', text: 'The names are clear.', weight: 1, agreement: 1, votes: [] };
    const rubric = {
      judge: 'openai/gpt-5.5',
      votes: 3,
      share: 0.5,
      criteria: (['met', 'unmet', null] as const).map(verdict => ({ ...criterion, verdict })),
      agreement: 1,
      leftOut: [],
      error: null,
      usage: noUsage,
      cost: { amountUsd: null, kind: 'none' as const },
    };
    const weights = { tests: 1, rubric: 1, diff: 0 };
    const trial = aTrial({
      phase: 'done',
      end: 'verified',
      reward: 0.5,
      taskProven: false,
      flags,
      tries: 2,
      reusedFrom: 'run-0.add-median.codex.1',
      sessionId: 'session-1',
      diff: { files: 1, insertions: 1, deletions: 0 },
      usage: { inputTokens: 4000, cachedInputTokens: 900, outputTokens: 160, reasoningTokens: 64 },
      error: { code: 'sandbox.failed', message: 'The sandbox broke.', hint: 'Begin it again.' },
      steps: [{ name: 'first', end: 'verified', reward: 1, rewards: {} }],
      score: { weights, tests: 1, rubric, diff: null } as unknown as NonNullable<TrialSummary['score']>,
      tests: (['passed', 'failed', 'skipped', 'missing'] as const).map(status => ({
        id: `a > ${status}`,
        expected: status === 'passed' ? 'passToPass' : 'failToPass',
        status,
        message: 'It broke.',
      })),
    });
    const limits = { timeoutSec: 60, maxTokens: 100_000, maxUsd: 2 };
    const at = new Date().toISOString();
    const begun = { ...trial, startedAt: at };
    const regrade = { trialId: trial.id, at, before: 1, after: 0.5, tests: [], flips: [], error: trial.error };
    const context = aContext(aRun({ state: 'finished', limits }), [begun, { ...trial, id: 'other' }], {
      regrades: [regrade],
      artifacts: [
        { path: inCyrillic('agent/stdout'), sizeBytes: 2000 },
        { path: '1.log', sizeBytes: 2000 },
      ],
      tail: { path: '1.log', text: inCyrillic('one line'), sizeBytes: 2000 },
    });
    const texts = shownTexts(everything(context)).map(text => text.replaceAll('1.log', ''));
    expect(untranslated(texts)).toEqual([]);
    const judgeless = { ...trial, score: { weights, tests: null, rubric: { ...rubric, judge: null }, diff: null } };
    expectTranslated(detail(aContext(aRun(), [judgeless as unknown as TrialSummary])));
  });

  it('says what is wrong, what is not chosen, and what is left out', () => {
    const run = aRun({ state: 'finished' });
    for (const server of servers) {
      const context = aContext(run, [aTrial()], { server, fault: inCyrillic('It broke.'), selected: null });
      expectTranslated(runHeader(context.model.run ?? run, context), detail(context));
    }
    for (const trials of [201, 300]) {
      const many = Array.from({ length: trials }, (_, index) => aTrial({ id: `t${index}`, attempt: index + 1 }));
      expectTranslated(lanes(aContext(run, many)));
    }
    for (const events of [501, 600]) {
      const journal = Array.from({ length: events }, (_, index) => ({
        ...{
          runId: 'run-1',
          seq: index + 1,
          at: run.createdAt,
          phase: null,
          usage: { ...noUsage, inputTokens: 5 },
          kind: 'log' as const,
        },
        ...{ trialId: aTrial().id, text: 'a line' },
      }));
      expectTranslated(...everything(aContext(run, [aTrial()], { journal })));
    }
  });
});

describe('the page that compares agents, in another language', () => {
  function aContext(comparison: Comparison, over: Partial<CompareContext> = {}): CompareContext {
    const actions = new Proxy({}, { get: () => nothing }) as CompareContext['actions'];
    const runs = inCyrillic([aRun({ state: 'finished' })]);
    const flags = new Map();
    const rest = { showsAllTasks: false, server: 'up', fault: null } as const;
    return { comparison: inCyrillic(comparison), runs, flags, actions, ...rest, ...over };
  }

  function everything(context: CompareContext): Shown[] {
    return [compareHeader, verdicts, agents, matrix, scatter, failures, conclusions].map(part => part(context));
  }

  it('says all of it, with many tasks and few', () => {
    for (const tasks of [1, 2, 40, 150]) expectTranslated(...everything(aContext(aComparison(tasks, 2))));
    const running = inCyrillic([aRun(), aRun({ limits: { timeoutSec: 5, maxTokens: 1 } })]);
    for (const runs of [running, running.slice(1)]) expectTranslated(...everything(aContext(aComparison(), { runs })));
    for (const server of servers) expectTranslated(compareHeader(aContext(aComparison(), { server })));
  });

  it('says how every trial ended, and what each verdict rests on', () => {
    const comparison = aComparison();
    const [agent] = comparison.agents;
    const [pair] = comparison.pairs;
    if (agent === undefined || pair === undefined) throw new Error('no agents');
    const bases = ['tests', 'mutation', 'rubric'] as const;
    const context = aContext({
      agents: [{ ...agent, isReplay: true, failures: Object.fromEntries(TrialEnd.options.map(end => [end, 1])) }],
      pairs: [null, 0, 1, 6, 900].map(moreTasks => ({ ...pair, isEnough: false, moreTasks })),
      tasks: bases.map((basis, index) => ({
        ...{ task: `t${index}`, proven: false, basis },
        attempts: [TrialEnd.options.map((end, at) => ({ trialId: `${at}`, reward: at === 0 ? 0.5 : null, end }))],
      })),
      summary: ['It is so.'],
    });
    const flags = new Map([['0', []]]);
    expectTranslated(...everything({ ...context, flags }));
    expectTranslated(...everything(aContext({ agents: [], pairs: [], tasks: [], summary: [] })));
  });
});

describe('the page of a session, in another language', () => {
  function aContext(model: SessionModel, over: Partial<SessionContext> = {}): SessionContext {
    const actions = new Proxy({}, { get: () => nothing }) as SessionContext['actions'];
    const rest = { server: 'up', fault: null, query: '', isSearching: false, showsChanges: true } as const;
    return { model, actions, ...rest, ...over };
  }

  function aModel(): SessionModel {
    const reader = aRichSession();
    const exchanges = reader.exchangesOfSession('').map((exchange, index) => ({ ...exchange, attempt: index + 1 }));
    const lines = new SessionLines(exchanges, reader.conversation(''));
    const model = new SessionModel();
    model.session = inCyrillic(reader.requireSession(''));
    model.hasTotals = true;
    model.exchanges = inCyrillic(exchanges);
    model.report = inCyrillic(reportOf(wholeSession(reader, '')));
    model.outline(inCyrillic(lines.outline));
    model.keep(inCyrillic(lines.page(0, 100)));
    for (const [key, { number, length }] of model.lines) {
      model.texts.set(key, inCyrillic(lines.text(number, length > 300) ?? { text: '', output: null, isCut: true }));
    }
    return model;
  }

  it('says who spoke and what it came to', () => {
    const model = aModel();
    if (model.report !== null) model.report = { ...model.report, turns: 2 };
    for (const server of servers) {
      const context = aContext(model, { server });
      if (model.session === null) throw new Error('no session');
      expectTranslated(sessionHeader(model.session, context), timeline(context), toolbar(context));
      const unknown = { ...model.session, agent: null, models: [], source: 'codexFile' as const };
      expectTranslated(sessionHeader(unknown, { ...context, model: new SessionModel() }));
    }
    expectTranslated(toolbar(aContext(model, { query: 'x', isSearching: true })));
    expectTranslated(toolbar(aContext(model, { query: 'x' })));
    model.hits = model.keysOf([1, 2]);
    expectTranslated(toolbar(aContext(model, { query: 'x' })));
  });

  it('says what every line is, folded and unfolded', () => {
    const model = aModel();
    const [first] = model.lines.values();
    if (first === undefined) throw new Error('no line');
    for (const kind of LineKind.options) {
      const files = [{ path: '/1', change: 'edited' as const, line: 3, text: null }];
      const odd = { ...first, kind, length: 1, toolName: null };
      model.lines.set(`short ${kind}`, { ...odd, files: kind === 'tool' ? files : [], outputLength: null });
      model.lines.set(`long ${kind}`, { ...odd, length: 90_000, outputLength: 5000, failed: true });
      model.texts.set(`long ${kind}`, { text: first.text, output: first.text, isCut: true });
    }
    for (const isOpen of [false, true]) {
      for (const [key, { number, kind }] of model.lines) {
        if (isOpen) model.unfolded.add(key);
        expectTranslated(...lineRow({ kind: 'line', key, index: 0, number, line: kind }, aContext(model)));
      }
    }
  });

  it('says what changed between two requests', () => {
    const model = aModel();
    const kinds = ['added', 'removed', 'changed'] as const;
    const some = kinds.map(change => ({ change, name: 'x', before: 'a', after: 'b' }));
    const [exchange] = model.exchanges;
    if (exchange === undefined) throw new Error('no exchange');
    const kept = { exchange, previousId: exchange.id, keptItems: 1, itemsBefore: 1, itemsAfter: 2 };
    const variants: Omit<RequestChanges, keyof typeof kept>[] = [
      { prefixKept: true, items: some, tools: some, settings: some },
      { prefixKept: false, items: some.slice(0, 2), tools: some.slice(1, 2), settings: some.slice(2) },
      {
        prefixKept: true,
        items: [...some, ...some],
        tools: [],
        settings: Array.from({ length: 40 }, () => some).flat(),
      },
      { prefixKept: true, items: Array.from({ length: 41 }, () => some.slice(0, 1)).flat(), tools: [], settings: [] },
    ];
    for (const variant of variants) {
      for (const [index, { id }] of model.exchanges.entries()) {
        model.changes.set(id, inCyrillic({ ...kept, ...variant }));
        model.unfoldedChanges.add(id);
        expectTranslated(...exchangeRow(index, aContext(model)));
      }
    }
    const usage = { ...noUsage, inputTokens: 1000, cachedInputTokens: 0 };
    model.exchanges = inCyrillic([anExchange(1), anExchange(2, { status: 500, usage })]);
    expectTranslated(...exchangeRow(1, aContext(model)));
  });
});

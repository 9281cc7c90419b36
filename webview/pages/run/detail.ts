import * as l10n from '@vscode/l10n';
import { noFigure, toCount, toDuration, toMoney, toReward, toSize } from '../../../protocol/figures.ts';
import type { TestVerdict, TrialSummary } from '../../../protocol/runs.ts';
import { trialWord } from '../../../protocol/stateWords.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import { el, type View } from '../../components/element.ts';
import { icon, trialIcon } from '../../components/icons.ts';
import { fold } from '../../components/layout.ts';
import { actionLink, button } from '../../components/toolkit.ts';
import { fileCount, percent } from '../../components/words.ts';
import type { RunActions, RunContext } from './context.ts';
import { flags, logs, verdictParts } from './findings.ts';
import { events, printable } from './journal.ts';
import { phaseTimes } from './runModel.ts';

/** The selected trial: figures, actions, then events, tests and artifacts as folds. */
export function detail(context: RunContext): View {
  const trial = context.model.trial(context.selected);
  if (trial === undefined) {
    const hint = l10n.t('Choose a trial in the plan or in the list to see its events, tests and changes.');
    return el('section', { key: 'detail', class: 'detail' }, el('p', { class: 'dim dh' }, hint));
  }
  return el(
    'section',
    { key: 'detail', class: 'detail', attributes: { 'aria-label': l10n.t('Selected trial'), 'data-trial': trial.id } },
    head(trial, context),
    events(trial, context),
    verdictParts(trial, context),
    tests(trial),
    flags(trial, context),
    logs(trial, context),
    artifacts(trial, context),
  );
}

function head(trial: TrialSummary, context: RunContext): View {
  const { model, nowMs, actions } = context;
  const state = trialState(trial);
  const choice = [
    trial.agentLabel,
    trial.agentVersion,
    trial.agent.model,
    trial.agent.replay === null ? null : l10n.t('replay'),
  ];
  const { sessionId } = trial;
  const times = phaseTimes(trial, nowMs);
  const limits = model.run?.limits;
  const budget = limits && {
    tokens: limits.maxTokens === null ? '' : l10n.t('of {0}', toCount(limits.maxTokens)),
    cost: limits.maxUsd === undefined ? '' : l10n.t('of {0}', `$${limits.maxUsd.toFixed(2)}`),
  };
  return el(
    'div',
    { class: 'dh' },
    el(
      'div',
      { class: 'row' },
      el('h2', { class: 'grow end', title: trial.task }, trial.task),
      el('span', { class: 'st', attributes: { id: 'trial-state' } }, trialIcon(state), trialWord(trial, l10n)),
    ),
    el(
      'p',
      { class: 'dim' },
      [
        ...choice.filter(Boolean),
        l10n.t('attempt {0}', trial.attempt),
        trial.taskProven ? l10n.t('proven task') : l10n.t('task not proven'),
        ...(trial.tries !== undefined && trial.tries > 1 ? [l10n.t('begun {0} times', trial.tries)] : []),
        ...(trial.reusedFrom === undefined ? [] : [l10n.t('verdict of an earlier run')]),
      ].join(' · '),
    ),
    el(
      'dl',
      { class: 'fg' },
      fact(
        l10n.t('Tokens'),
        toCount(totalTokens(trial.usage)),
        [budget?.tokens, cachedWords(trial)].filter(Boolean).join(', '),
      ),
      fact(
        l10n.t('Cost'),
        toMoney(trial.cost),
        trial.cost.kind === 'replay' ? l10n.t('replayed') : (budget?.cost ?? ''),
      ),
      fact(
        l10n.t('Wall time'),
        toDuration(times?.totalMs ?? null),
        times === null || times.agentMs === 0 ? '' : l10n.t('agent {0}', toDuration(times.agentMs)),
      ),
      fact(l10n.t('Diff'), diffWords(trial), filesWords(trial)),
      fact(l10n.t('Reward'), toReward(trial.reward), trial.phase === 'done' ? '' : l10n.t('after verify')),
    ),
    trial.error === null ? null : fault(trial.error, actions),
    el(
      'div',
      { class: 'row' },
      button(
        {
          id: 'review-diff',
          primary: true,
          disabled: (trial.diff?.files ?? 0) === 0,
          onClick: () => actions.reviewDiff(trial.id),
        },
        icon('diff'),
        l10n.t('Review diff'),
      ),
      sessionId === null
        ? null
        : button({ onClick: () => actions.openSession(sessionId) }, icon('message'), l10n.t('Open session')),
    ),
  );
}

function fact(name: string, value: string, aside: string): View {
  return el(
    'div',
    { key: name },
    el('dt', { class: 'dim' }, name),
    el(
      'dd',
      {},
      el('b', { class: 'strong', attributes: { 'data-fact': name } }, value),
      el('span', { class: 'dim' }, aside),
    ),
  );
}

function fault(error: NonNullable<TrialSummary['error']>, { openJudgeSetting }: RunActions): View {
  return el(
    'div',
    { key: 'fault', class: 'q', attributes: { role: 'alert' } },
    el('b', { class: 'strong' }, printable(error.message)),
    error.hint === null ? null : el('p', { class: 'dim' }, error.hint),
    error.code === 'judge.missing' ? actionLink(l10n.t('Set a Judge…'), openJudgeSetting) : null,
  );
}

function cachedWords({ usage }: TrialSummary): string {
  if (usage.inputTokens === null || usage.inputTokens === 0 || usage.cachedInputTokens === null) return '';
  return l10n.t('{0} cached', percent(usage.cachedInputTokens / usage.inputTokens));
}

function filesWords({ diff }: TrialSummary): string {
  if (diff === null || diff.files === 0) return '';
  return fileCount(diff.files);
}

function diffWords({ diff }: TrialSummary): string {
  if (diff === null) return noFigure;
  return diff.files === 0 ? l10n.t('none') : `+${diff.insertions} −${diff.deletions}`;
}

/** How the verdict on one test looks. */
function verdictOf(status: TestVerdict['status']): (View | string)[] {
  switch (status) {
    case 'passed':
      return [icon('passed', 'pass'), l10n.t('Passed')];
    case 'failed':
      return [icon('failed', 'fail'), l10n.t('Failed')];
    case 'skipped':
      return [icon('cancelled', 'off'), l10n.t('Skipped')];
    case 'missing':
      return [icon('lost', 'error'), l10n.t('Missing')];
  }
}

function tests(trial: TrialSummary): View {
  const passed = trial.tests.filter(test => test.status === 'passed').length;
  const aside = trial.tests.length === 0 ? l10n.t('none') : l10n.t('{0} of {1} passed', passed, trial.tests.length);
  const worstFirst = trial.tests.toSorted((a, b) => Number(a.status === 'passed') - Number(b.status === 'passed'));
  return fold(
    'tests',
    l10n.t('Tests'),
    aside,
    el(
      'div',
      { class: 'tl' },
      trial.tests.length === 0 && el('p', { class: 'dim pad' }, noTests(trial)),
      worstFirst.map(testRow),
    ),
  );
}

function noTests({ phase }: TrialSummary): string {
  return phase === 'done' ? l10n.t('The tests did not run.') : l10n.t('Tests appear when the verifier has run.');
}

function testRow(test: TestVerdict): View {
  return el(
    'div',
    { key: test.id },
    el(
      'div',
      { class: 'tr' },
      el('span', { class: 'ts' }, verdictOf(test.status)),
      testName(test.id),
      el(
        'span',
        { class: 'dim small' },
        test.expected === 'failToPass' ? l10n.t('must now pass') : l10n.t('must still pass'),
      ),
    ),
    test.message === null ? null : el('pre', { class: 'tb mono' }, printable(test.message)),
  );
}

/** A test's own name, after the file and the groups it is in. */
function testName(id: string): View {
  const split = id.lastIndexOf(' > ');
  return el(
    'span',
    { class: 'ti mono', title: id },
    split < 0 ? null : el('span', { class: 'dim end' }, id.slice(0, split + 2)),
    el('span', { class: 'end' }, split < 0 ? id : id.slice(split + 3)),
  );
}

function artifacts(trial: TrialSummary, { artifacts: files, actions }: RunContext): View {
  return fold(
    'artifacts',
    l10n.t('Artifacts'),
    String(files.length),
    el(
      'div',
      { class: 'ar' },
      files.length === 0 && el('p', { class: 'dim pad' }, l10n.t('No file yet.')),
      files.map(({ path, sizeBytes }) =>
        el(
          'div',
          { key: path, class: 'ar-row' },
          icon('file'),
          el(
            'span',
            { class: 'mono end' },
            actionLink(path, () => actions.openArtifact(trial.id, path), path),
          ),
          el('span', { class: 'num dim' }, toSize(sizeBytes)),
        ),
      ),
    ),
  );
}

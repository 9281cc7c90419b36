import { noFigure, toCount, toDuration, toMoney, toReward, toSize } from '../../../protocol/figures.ts';
import type { TestVerdict, TrialSummary } from '../../../protocol/runs.ts';
import { trialState, trialStateWords } from '../../../protocol/trialState.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import { el, type View } from '../../components/element.ts';
import { icon, trialIcon } from '../../components/icons.ts';
import { fold } from '../../components/layout.ts';
import { actionLink, button } from '../../components/toolkit.ts';
import { count } from '../../components/words.ts';
import type { RunContext } from './context.ts';
import { flags, logs, verdictParts } from './findings.ts';
import { events, printable } from './journal.ts';
import { phaseTimes } from './runModel.ts';

/** The selected trial: figures, actions, then events, tests and artifacts as folds. */
export function detail(context: RunContext): View {
  const trial = context.model.trial(context.selected);
  if (trial === undefined) {
    const hint = 'Choose a trial in the plan or in the list to see its events, tests and changes.';
    return el('section', { key: 'detail', class: 'detail' }, el('p', { class: 'dim dh' }, hint));
  }
  return el(
    'section',
    { key: 'detail', class: 'detail', attributes: { 'aria-label': 'Selected trial', 'data-trial': trial.id } },
    head(trial, context),
    events(trial, context),
    verdictParts(trial, context),
    tests(trial),
    flags(trial, context),
    logs(trial, context),
    artifacts(trial, context),
  );
}

function head(trial: TrialSummary, { model, nowMs, actions }: RunContext): View {
  const state = trialState(trial);
  const choice = [
    trial.agentLabel,
    trial.agentVersion,
    trial.agent.model,
    trial.agent.replay === null ? null : 'replay',
  ];
  const { sessionId } = trial;
  const limits = model.run?.limits;
  const budget = limits && {
    tokens: limits.maxTokens === null ? '' : `of ${toCount(limits.maxTokens)}`,
    cost: limits.maxUsd === undefined ? '' : `of $${limits.maxUsd.toFixed(2)}`,
  };
  return el(
    'div',
    { class: 'dh' },
    el(
      'div',
      { class: 'row' },
      el('h2', { class: 'grow end', title: trial.task }, trial.task),
      el('span', { class: 'st', attributes: { id: 'trial-state' } }, trialIcon(state), trialStateWords[state]),
    ),
    el(
      'p',
      { class: 'dim' },
      [
        ...choice.filter(Boolean),
        `attempt ${trial.attempt}`,
        trial.taskProven ? 'proven task' : 'task not proven',
        ...(trial.tries !== undefined && trial.tries > 1 ? [`begun ${trial.tries} times`] : []),
        ...(trial.reusedFrom === undefined ? [] : ['verdict of an earlier run']),
      ].join(' · '),
    ),
    el(
      'dl',
      { class: 'fg' },
      fact(
        'Tokens',
        toCount(totalTokens(trial.usage)),
        [budget?.tokens, cachedWords(trial)].filter(Boolean).join(', '),
      ),
      fact('Cost', toMoney(trial.cost), trial.cost.kind === 'replay' ? 'replayed' : (budget?.cost ?? '')),
      fact('Time', toDuration(phaseTimes(trial, nowMs)?.totalMs ?? null), ''),
      fact('Diff', diffWords(trial), filesWords(trial)),
      fact('Reward', toReward(trial.reward), trial.phase === 'done' ? '' : 'after verify'),
    ),
    trial.error === null ? null : fault(trial.error),
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
        'Review diff',
      ),
      sessionId === null
        ? null
        : button({ onClick: () => actions.openSession(sessionId) }, icon('message'), 'Open session'),
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

function fault(error: NonNullable<TrialSummary['error']>): View {
  return el(
    'div',
    { key: 'fault', class: 'q', attributes: { role: 'alert' } },
    el('b', { class: 'strong' }, printable(error.message)),
    error.hint === null ? null : el('p', { class: 'dim' }, error.hint),
  );
}

function cachedWords({ usage }: TrialSummary): string {
  if (usage.inputTokens === null || usage.inputTokens === 0 || usage.cachedInputTokens === null) return '';
  return `${Math.round((usage.cachedInputTokens / usage.inputTokens) * 100)} % cached`;
}

function filesWords({ diff }: TrialSummary): string {
  if (diff === null || diff.files === 0) return '';
  return count(diff.files, 'file');
}

function diffWords({ diff }: TrialSummary): string {
  if (diff === null) return noFigure;
  return diff.files === 0 ? 'none' : `+${diff.insertions} −${diff.deletions}`;
}

const verdictLooks = {
  passed: ['passed', 'pass', 'Passed'],
  failed: ['failed', 'fail', 'Failed'],
  skipped: ['cancelled', 'off', 'Skipped'],
  missing: ['lost', 'error', 'Missing'],
} as const;

const expectations = { failToPass: 'must now pass', passToPass: 'must still pass' } as const;

function tests(trial: TrialSummary): View {
  const passed = trial.tests.filter(test => test.status === 'passed').length;
  const aside = trial.tests.length === 0 ? 'none' : `${passed} of ${trial.tests.length} passed`;
  const worstFirst = trial.tests.toSorted((a, b) => Number(a.status === 'passed') - Number(b.status === 'passed'));
  return fold(
    'tests',
    'Tests',
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
  return phase === 'done' ? 'The tests did not run.' : 'Tests appear when the verifier has run.';
}

function testRow(test: TestVerdict): View {
  const [name, tone, word] = verdictLooks[test.status];
  return el(
    'div',
    { key: test.id },
    el(
      'div',
      { class: 'tr' },
      el('span', { class: 'ts' }, icon(name, tone), word),
      testName(test.id),
      el('span', { class: 'dim small' }, expectations[test.expected]),
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
    'Artifacts',
    String(files.length),
    el(
      'div',
      { class: 'ar' },
      files.length === 0 && el('p', { class: 'dim pad' }, 'No file yet.'),
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

import * as l10n from '@vscode/l10n';
import { toClock, toCount } from '../../../protocol/figures.ts';
import type { RunEvent, TrialPhase, TrialSummary } from '../../../protocol/runs.ts';
import { trialState } from '../../../protocol/trialState.ts';
import { totalTokens } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { type IconName, icon, trialIcon } from '../../components/icons.ts';
import { fold } from '../../components/layout.ts';
import type { RunContext } from './context.ts';

/** Lines drawn of a journal; the whole of it is in the run's directory. */
const maxLines = 500;
/** Longest text drawn of one line. An agent can print a whole file. */
const maxTextLength = 2000;

/** What happened in the selected trial, as it happens. */
export function events(trial: TrialSummary, { model }: RunContext): View {
  const all = model.eventsOf(trial.id).filter(event => event.kind !== 'usage');
  const drawn = all.slice(-maxLines);
  // A verdict of an earlier run came into this one when it began.
  const began = trial.reusedFrom === undefined ? trial.startedAt : null;
  const originMs = Date.parse(began ?? model.run?.createdAt ?? '');
  const timeOf = columnTimes(drawn, originMs);
  const earlier = all.length - drawn.length;
  return fold(
    'events',
    l10n.t('Events'),
    trial.phase === 'done' ? String(all.length) : l10n.t('{0}, followed live', all.length),
    el(
      'div',
      {
        class: 'evs follow',
        attributes: { id: 'event-list', tabindex: '0', role: 'log', 'aria-label': l10n.t('Events') },
      },
      earlier > 0 && el('p', { class: 'dim pad' }, earlierWords(earlier)),
      all.length === 0 && el('p', { class: 'dim pad' }, l10n.t('Events appear when the trial starts.')),
      drawn.map(event => eventRow(event, timeOf(event), endIcon(event, trial, all))),
    ),
  );
}

/** When lines came, all of a column in one unit: tenths of seconds as long as that is less than a minute. */
export function columnTimes(lines: readonly RunEvent[], originMs: number): (line: RunEvent) => string {
  const msOf = (line: RunEvent) => Math.max(0, Date.parse(line.at) - originMs);
  const isShort = lines.every(line => msOf(line) < 60_000);
  return line => (isShort ? `${(msOf(line) / 1000).toFixed(1)} s` : toClock(msOf(line)));
}

function earlierWords(events: number): string {
  return events === 1
    ? l10n.t('1 earlier event is in the run’s journal.')
    : l10n.t('{0} earlier events are in the run’s journal.', events);
}

/** What an agent did, as the journal words it: `command: node --test`. */
const agentIcons: Readonly<Record<string, IconName>> = {
  message: 'message',
  reasoning: 'reasoning',
  command: 'command',
  edit: 'edit',
  tool: 'command',
  error: 'errored',
  usage: 'done',
};

function eventRow(event: RunEvent, time: string, end: View | null): View {
  const [, act = '', said = ''] = (event.kind === 'agent' && /^(\w+): (.*)$/s.exec(event.text)) || [];
  const agentIcon = agentIcons[act];
  const tokens = event.usage === null ? null : totalTokens(event.usage);
  return el(
    'div',
    {
      key: `event-${event.seq}`,
      class: `ev kind-${event.kind} act-${agentIcon === undefined ? 'other' : act}`,
      attributes: { 'data-seq': String(event.seq) },
    },
    el('span', { class: 'et', title: l10n.t('Since the trial began') }, time),
    end ?? (agentIcon === undefined ? eventIcon(event) : icon(agentIcon)),
    el('span', { class: 'ex', title: printable(event.text) }, printable(agentIcon === undefined ? event.text : said)),
    el('span', { class: 'er dim' }, tokens === null ? '' : l10n.t('{0} tok', toCount(tokens))),
  );
}

/** How the trial ended; an end after which it was begun again says nothing of that. */
function endIcon(event: RunEvent, trial: TrialSummary, all: readonly RunEvent[]): View | null {
  const isLast = trial.phase === 'done' && event === all.findLast(({ kind }) => kind === 'end');
  return isLast ? trialIcon(trialState(trial)) : null;
}

const phaseIcons: Readonly<Record<TrialPhase, IconName>> = {
  queued: 'queued',
  building: 'building',
  agent: 'agent',
  verifying: 'verifying',
  done: 'done',
};

function eventIcon({ kind, phase }: RunEvent): View {
  switch (kind) {
    case 'phase':
      return icon(phase === null ? 'log' : phaseIcons[phase], 'run');
    case 'agent':
      return icon('message');
    case 'usage':
      return icon('usage', 'off');
    case 'log':
    case 'end':
      return icon('log', 'off');
  }
}

/** Lines of the run that belong to no trial, and the ends of trials. */
export function runLog({ model }: RunContext): View {
  const startMs = Date.parse(model.run?.createdAt ?? '');
  const lines = model.journal.filter(event => event.trialId === null || event.kind === 'end' || event.kind === 'phase');
  const drawn = lines.slice(-maxLines);
  const timeOf = columnTimes(drawn, startMs);
  return fold(
    'log',
    l10n.t('Run log'),
    lines.length === 1 ? l10n.t('1 line') : l10n.t('{0} lines', lines.length),
    el(
      'div',
      {
        class: 'log mono follow',
        attributes: { id: 'run-log', tabindex: '0', role: 'log', 'aria-label': l10n.t('Run log') },
      },
      drawn.map(event =>
        el(
          'div',
          { key: `log-${event.seq}` },
          el('span', { class: 'dim', title: l10n.t('Since the run began') }, `${timeOf(event)} `),
          `${trialName(event, model)}${printable(event.text)}`,
        ),
      ),
    ),
  );
}

function trialName(event: RunEvent, model: RunContext['model']): string {
  const trial = model.trial(event.trialId);
  return trial === undefined ? '' : `${trial.agentLabel} #${trial.attempt}: `;
}

/** Recorded text as it is, with control characters made visible and its length bounded. */
export function printable(text: string): string {
  return visible(text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text);
}

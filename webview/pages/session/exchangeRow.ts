import { toClock, toLatency, toMoney } from '../../../protocol/figures.ts';
import type { Change, Exchange, RequestChanges } from '../../../protocol/sessions.ts';
import { cachedShare } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { icon } from '../../components/icons.ts';
import { count, grouped, percent } from '../../components/words.ts';
import type { SessionContext } from './context.ts';
import { hasFailed } from './sessionModel.ts';

/** Changes listed of one request; the rest is counted. */
const maxChanges = 40;

/** Where an exchange begins: its figures, and what its request says otherwise than the one before. */
export function exchangeRow(index: number, context: SessionContext): View[] {
  const { exchanges } = context.model;
  const exchange = exchanges[index];
  if (exchange === undefined) return [];
  const { usage, cost, timeToFirstByteMs } = exchange;
  const elapsedMs = Date.parse(exchange.startedAt) - Date.parse(exchanges[0]?.startedAt ?? '');
  const figures: readonly (readonly [name: string, value: View | string])[] = [
    ['Tokens in', grouped(usage.inputTokens)],
    ['Cached', cached(exchange, index)],
    ['Out', grouped(usage.outputTokens)],
    ['Cost', toMoney(cost)],
    ['First token', toLatency(timeToFirstByteMs)],
  ];
  return [
    el(
      'div',
      { key: 'figures', class: 'x' },
      el('b', { class: 'strong no' }, String(index + 1)),
      el(
        'div',
        { class: 'since' },
        el('span', { class: 'dim small' }, toClock(elapsedMs)),
        exchange.attempt > 1 && el('span', { class: 'st small' }, icon('agent', 'part'), `Try ${exchange.attempt}`),
        hasFailed(exchange) && el('span', { class: 'st small' }, icon('failed', 'fail'), failure(exchange)),
        context.showsChanges ? changesLine(exchange, index, context) : null,
      ),
      figures.map(([name, value]) =>
        el('span', { key: name, class: 'n' }, el('span', { class: 'dim name' }, `${name} `), value),
      ),
    ),
    ...changesList(exchange, context),
  ];
}

function failure({ error, status }: Exchange): string {
  return visible(error ?? `The API answered ${status}.`).slice(0, 500);
}

/** A request after the first that nothing was cached of costs its whole history again. */
function cached({ usage }: Exchange, index: number): View {
  const share = cachedShare(usage);
  const isLost = index > 0 && share !== null && share < 0.05;
  return el(
    'span',
    { class: 'row', ...(isLost ? { title: 'Hardly anything of this request came from the provider’s cache.' } : {}) },
    isLost ? icon('errored', 'error') : null,
    percent(share),
  );
}

function changesLine({ id }: Exchange, index: number, { model, actions }: SessionContext): View | null {
  const changes = model.changes.get(id);
  if (changes === undefined || changes === null || changes.previousId === null) return null;
  const isOpen = model.unfoldedChanges.has(id);
  return el(
    'button',
    {
      class: 'fold small dim inset',
      attributes: { 'aria-expanded': String(isOpen), 'data-changes': id },
      on: { click: () => actions.toggleChanges(id) },
    },
    changes.prefixKept ? null : icon('errored', 'error'),
    el(
      'span',
      { class: 'end' },
      `Since request ${previousNumber(changes, model.exchanges, index)}: ${changeWords(changes)}`,
    ),
    icon('chevron'),
  );
}

function previousNumber({ previousId }: RequestChanges, exchanges: readonly Exchange[], index: number): number {
  const place = exchanges.findIndex(({ id }) => id === previousId);
  return place < 0 ? index : place + 1;
}

function changeWords({ items, tools, settings, prefixKept, keptItems }: RequestChanges): string {
  const added = items.filter(({ change }) => change === 'added').length;
  const rest = items.length - added;
  return [
    added > 0 ? `+${count(added, 'item')}` : null,
    rest > 0 ? `${count(rest, 'item')} changed or removed` : null,
    tools.length > 0 ? `${count(tools.length, 'tool')} changed` : null,
    settings.length > 0 ? `${count(settings.length, 'setting')} changed` : null,
    prefixKept ? 'prefix kept' : `prefix lost at item ${keptItems + 1}`,
  ]
    .filter(part => part !== null)
    .join(', ');
}

const signs = { added: ['+', 'Added'], removed: ['−', 'Removed'], changed: ['~', 'Changed'] } as const;

function changesList({ id }: Exchange, { model, showsChanges }: SessionContext): View[] {
  const changes = model.changes.get(id);
  if (!showsChanges || !changes || !model.unfoldedChanges.has(id)) return [];
  const all: (Change & { of: string })[] = [
    ...changes.settings.map(change => ({ ...change, of: 'setting' })),
    ...changes.tools.map(change => ({ ...change, of: 'tool' })),
    ...changes.items.map(change => ({ ...change, of: 'item' })),
  ];
  return [
    el(
      'div',
      { key: 'changes', class: 'changes' },
      all
        .slice(0, maxChanges)
        .map(({ change, of, name, before, after }, index) =>
          el(
            'details',
            { key: String(index) },
            el(
              'summary',
              { class: 'inset' },
              `${signs[change][0]} ${signs[change][1]} ${of} `,
              el('b', {}, visible(name)),
            ),
            before === null ? null : el('pre', { class: 'removed' }, visible(before)),
            after === null ? null : el('pre', { class: 'added' }, visible(after)),
          ),
        ),
      all.length > maxChanges && el('p', { class: 'dim' }, `${all.length - maxChanges} more changes`),
    ),
  ];
}

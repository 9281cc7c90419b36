import * as l10n from '@vscode/l10n';
import { hasFailed } from '../../../protocol/exchanges.ts';
import { noFigure, toClock, toLatency, toMoney } from '../../../protocol/figures.ts';
import type { Change, Exchange, RequestChanges } from '../../../protocol/sessions.ts';
import { cachedShare } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import { icon } from '../../components/icons.ts';
import { grouped, percent } from '../../components/words.ts';
import type { SessionContext } from './context.ts';

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
    [l10n.t('Tokens in'), grouped(usage.inputTokens)],
    [l10n.t('Cached'), cached(exchange, index)],
    [l10n.t('Out'), grouped(usage.outputTokens)],
    [l10n.t('Cost'), toMoney(cost)],
    [l10n.t('First token'), toLatency(timeToFirstByteMs)],
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
        exchange.attempt > 1 &&
          el('span', { class: 'st small' }, icon('agent', 'part'), l10n.t('Try {0}', exchange.attempt)),
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
  return visible(error ?? l10n.t('The API answered {0}.', status ?? noFigure)).slice(0, 500);
}

/** A request after the first that nothing was cached of costs its whole history again. */
function cached({ usage }: Exchange, index: number): View {
  const share = cachedShare(usage);
  const isLost = index > 0 && share !== null && share < 0.05;
  return el(
    'span',
    {
      class: 'row',
      ...(isLost ? { title: l10n.t('Hardly anything of this request came from the provider’s cache.') } : {}),
    },
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
      l10n.t('Since request {0}: {1}', previousNumber(changes, model.exchanges, index), changeWords(changes)),
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
  const parts: (readonly [count: number, words: string])[] = [
    [added, added === 1 ? l10n.t('+1 item') : l10n.t('+{0} items', added)],
    [rest, rest === 1 ? l10n.t('1 item changed or removed') : l10n.t('{0} items changed or removed', rest)],
    [tools.length, tools.length === 1 ? l10n.t('1 tool changed') : l10n.t('{0} tools changed', tools.length)],
    [
      settings.length,
      settings.length === 1 ? l10n.t('1 setting changed') : l10n.t('{0} settings changed', settings.length),
    ],
  ];
  return [
    ...parts.flatMap(([count, words]) => (count === 0 ? [] : [words])),
    prefixKept ? l10n.t('prefix kept') : l10n.t('prefix lost at item {0}', keptItems + 1),
  ].join(', ');
}

type Changed = 'setting' | 'tool' | 'item';

const signs = { added: '+', removed: '−', changed: '~' } as const;

/** What happened to what: each a whole text, since languages bend both words. */
function changeTitle(change: Change['change'], of: Changed): string {
  const titles = {
    added: { setting: l10n.t('Added setting'), tool: l10n.t('Added tool'), item: l10n.t('Added item') },
    removed: { setting: l10n.t('Removed setting'), tool: l10n.t('Removed tool'), item: l10n.t('Removed item') },
    changed: { setting: l10n.t('Changed setting'), tool: l10n.t('Changed tool'), item: l10n.t('Changed item') },
  };
  return `${signs[change]} ${titles[change][of]}`;
}

function changesList({ id }: Exchange, { model, showsChanges }: SessionContext): View[] {
  const changes = model.changes.get(id);
  if (!showsChanges || !changes || !model.unfoldedChanges.has(id)) return [];
  const all: (Change & { of: Changed })[] = [
    ...changes.settings.map(change => ({ ...change, of: 'setting' as const })),
    ...changes.tools.map(change => ({ ...change, of: 'tool' as const })),
    ...changes.items.map(change => ({ ...change, of: 'item' as const })),
  ];
  const hidden = all.length - maxChanges;
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
            el('summary', { class: 'inset' }, `${changeTitle(change, of)} `, el('b', {}, visible(name))),
            before === null ? null : el('pre', { class: 'removed' }, visible(before)),
            after === null ? null : el('pre', { class: 'added' }, visible(after)),
          ),
        ),
      hidden > 0 &&
        el('p', { class: 'dim' }, hidden === 1 ? l10n.t('1 more change') : l10n.t('{0} more changes', hidden)),
    ),
  ];
}

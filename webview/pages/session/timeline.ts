import * as l10n from '@vscode/l10n';
import { hasFailed } from '../../../protocol/exchanges.ts';
import { toClock } from '../../../protocol/figures.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { cachedShare } from '../../../protocol/usage.ts';
import { el, type View } from '../../components/element.ts';
import type { SessionContext } from './context.ts';

const width = 320;
const height = 40;

/**
 * When the agent waited for its model, and how large each request was; between two bars its tools ran. However many
 * exchanges there are, it is three paths. A click goes to the exchange; the keys j and k do the same.
 */
export function timeline({ model, actions }: SessionContext): View | null {
  const { exchanges } = model;
  // Of a session that is still being read, the beginning would be taken for the whole.
  if (exchanges.length < 2 || !model.isOutlined) return null;
  const bars = toBars(exchanges);
  const path = (kind: string, d: string) => el('path', { key: kind, class: kind, attributes: { d } });
  const box = ({ x, wide }: Bar, high: number) => {
    const tall = Math.max(high, 0.5).toFixed(1);
    return `M${x.toFixed(1)} ${height}v-${tall}h${wide.toFixed(1)}v${tall}z`;
  };
  const failed = bars.filter(bar => bar.hasFailed).map(({ x }) => `M${x.toFixed(1)} 0h4l-2 4z`);
  const startsMs = exchanges.map(({ startedAt }) => Date.parse(startedAt));
  const totalMs = startsMs.reduce((latest, at) => Math.max(latest, at)) - earliest(startsMs);
  return el(
    'figure',
    { key: 'timeline', class: 'timeline' },
    el(
      'svg',
      {
        attributes: {
          viewBox: `0 0 ${width} ${height}`,
          preserveAspectRatio: 'none',
          role: 'img',
          'aria-label': l10n.t('Timeline: {0} exchanges in {1}', exchanges.length, toClock(totalMs)),
        },
        on: { click: event => actions.goTo(nearest(bars, event as MouseEvent)) },
      },
      path('full', bars.map(bar => box(bar, bar.high)).join('')),
      path('cached', bars.map(bar => box(bar, bar.cachedHigh)).join('')),
      path('bad', failed.join('')),
    ),
    el(
      'figcaption',
      { class: 'dim small' },
      `${l10n.t('Request size over {0}:', toClock(totalMs))} `,
      el('span', { class: 'key' }, el('i', { class: 'key-cached' }), l10n.t('cached')),
      ' ',
      el('span', { class: 'key' }, el('i', { class: 'key-full' }), l10n.t('billed in full')),
    ),
  );
}

interface Bar {
  readonly x: number;
  readonly wide: number;
  readonly high: number;
  readonly cachedHigh: number;
  readonly hasFailed: boolean;
}

function toBars(exchanges: readonly Exchange[]): Bar[] {
  const startMs = earliest(exchanges.map(({ startedAt }) => Date.parse(startedAt)));
  const endOf = (exchange: Exchange) => Date.parse(exchange.startedAt) + (exchange.durationMs ?? 0);
  const spanMs = exchanges.reduce((max, exchange) => Math.max(max, endOf(exchange) - startMs), 1);
  const most = exchanges.reduce((max, { usage }) => Math.max(max, usage.inputTokens ?? 0), 1);
  return exchanges.map(exchange => {
    const x = ((Date.parse(exchange.startedAt) - startMs) / spanMs) * (width - 2);
    const high = ((height - 6) * (exchange.usage.inputTokens ?? 0)) / most;
    return {
      x,
      wide: Math.max(1, ((exchange.durationMs ?? 0) / spanMs) * (width - 2)),
      high,
      cachedHigh: high * (cachedShare(exchange.usage) ?? 0),
      hasFailed: hasFailed(exchange),
    };
  });
}

/** Not always the first: a clock may have been set back. */
function earliest(startsMs: readonly number[]): number {
  return startsMs.reduce((first, at) => Math.min(first, at));
}

function nearest(bars: readonly Bar[], { clientX, currentTarget }: MouseEvent): number {
  const { left, width: shown } = (currentTarget as Element).getBoundingClientRect();
  const x = ((clientX - left) / shown) * width;
  const distance = (bar: Bar | undefined) => Math.abs((bar?.x ?? 0) + (bar?.wide ?? 0) / 2 - x);
  return bars.reduce((best, bar, index) => (distance(bar) < distance(bars[best]) ? index : best), 0);
}

import * as l10n from '@vscode/l10n';
import { visible } from '../../../protocol/visibleText.ts';
import { el, type View } from '../../components/element.ts';
import type { CompareContext } from './context.ts';
import { niceAbove, type Point, pointsOf } from './figures.ts';

/** Colour says nothing: every agent has a shape, filled on the front. */
const shapes = [
  'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z',
  'M-5-5H5V5H-5z',
  'M0-6 6 5H-6z',
  'M0-6 6 0 0 6-6 0z',
  'M0 6 6-5H-6z',
  'M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z',
  'M-6 0 5-6V6z',
  'M6 0-5-6V6z',
];
const area = { left: 40, right: 504, top: 24, bottom: 236 };
const labelLength = 24;
/** Of a name in the plot: about as wide as a letter of its font, and as high as its line. */
const letterWidth = 6.4;
const lineHeight = 12;

/** The sign of an agent in tables, where the plot shows it. */
export function shapeOf({ comparison }: CompareContext, label: string): View | null {
  const points = pointsOf(comparison.agents);
  const index = points.findIndex(point => point.label === label);
  if (index < 0 || points.length < 2) return null;
  return el(
    'svg',
    { key: 'shape', class: 'shape', attributes: { viewBox: '-8 -8 16 16', 'aria-hidden': 'true' } },
    shape(index, points[index]?.isOnFront === true),
  );
}

/** Cost per trial against reward, with the Pareto front. */
export function scatter({ comparison }: CompareContext): View {
  const points = pointsOf(comparison.agents);
  if (points.length < 2) {
    return el('p', { class: 'dim pad' }, l10n.t('Appears when two agents have both a price and a reward.'));
  }
  const mostUsd = niceAbove(Math.max(...points.map(point => point.costUsd)));
  const scale = {
    x: (costUsd: number) => area.left + (costUsd / mostUsd) * (area.right - area.left),
    y: (reward: number) => area.bottom - reward * (area.bottom - area.top),
  };
  const front = points.filter(point => point.isOnFront).map(point => visible(point.label));
  const names = placeNames(points, scale);
  return el(
    'figure',
    { class: 'scatter' },
    el(
      'svg',
      {
        attributes: {
          viewBox: '0 0 520 280',
          role: 'img',
          'aria-label': l10n.t('Cost per trial against reward. On the Pareto front: {0}.', front.join(', ')),
        },
      },
      axes(mostUsd, scale),
      el('path', { key: 'front', class: 'front', attributes: { d: frontPath(points, scale) } }),
      points.map((point, index) => mark(point, index, names.get(point) ?? null, scale)),
    ),
    el(
      'figcaption',
      { class: 'dim small' },
      l10n.t(
        'Filled points are on the Pareto front: no other agent is both cheaper and better. Lines are 95 % intervals.',
      ),
    ),
  );
}

interface Scale {
  x(costUsd: number): number;
  y(reward: number): number;
}

function axes(mostUsd: number, { x, y }: Scale): View[] {
  const parts = [0, 0.25, 0.5, 0.75, 1];
  return [
    ...parts.flatMap(part => [
      el('line', {
        key: `grid-${part}`,
        class: 'grid',
        attributes: { x1: String(area.left), x2: String(area.right), y1: at(y(part)), y2: at(y(part)) },
      }),
      label(`reward-${part}`, area.left - 8, y(part) + 4, 'end', String(part)),
      label(`cost-${part}`, x(part * mostUsd), 254, 'middle', `$${(part * mostUsd).toFixed(mostUsd < 0.1 ? 4 : 2)}`),
    ]),
    label('name-x', (area.left + area.right) / 2, 274, 'middle', l10n.t('Cost per trial, mean')),
    label('name-y', area.left, 12, 'start', l10n.t('Reward, mean with 95 % interval')),
  ];
}

function frontPath(points: readonly Point[], { x, y }: Scale): string {
  const front = points.filter(point => point.isOnFront).toSorted((a, b) => a.costUsd - b.costUsd);
  const steps = front.map(({ costUsd, mean }, index) =>
    index === 0 ? `M${at(x(costUsd))} ${area.bottom}V${at(y(mean))}` : `H${at(x(costUsd))}V${at(y(mean))}`,
  );
  return `${steps.join('')}H${area.right}`;
}

interface Name {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end';
}

/** Names beside their points where there is room, those on the front first; the shapes in the table tell the others. */
function placeNames(points: readonly Point[], { x, y }: Scale): Map<Point, Name> {
  const placed = new Map<Point, Name>();
  const placeOf = ({ costUsd, mean }: Point): Name => ({
    text: 'oo',
    x: x(costUsd) - 6,
    y: y(mean) + 4,
    anchor: 'start',
  });
  for (const point of points.toSorted((a, b) => Number(b.isOnFront) - Number(a.isOnFront))) {
    const name = visible(point.label);
    const text = name.length > labelLength ? `${name.slice(0, labelLength - 1)}…` : name;
    const isRight = x(point.costUsd) > (area.left + area.right) / 2;
    const [left, anchor] = isRight ? ([-10, 'end'] as const) : ([10, 'start'] as const);
    const places = (point.isOnFront ? [-6, 16] : [16, -6]).map(
      (below): Name => ({ text, anchor, x: x(point.costUsd) + left, y: y(point.mean) + below }),
    );
    const taken = [...placed.values(), ...points.filter(other => other !== point).map(placeOf)];
    const free = places.find(place => taken.every(other => !overlap(place, other)));
    const chosen = free ?? (point.isOnFront ? places[0] : undefined);
    if (chosen !== undefined) placed.set(point, chosen);
  }
  return placed;
}

function overlap(a: Name, b: Name): boolean {
  const begin = ({ x, text, anchor }: Name) => (anchor === 'start' ? x : x - text.length * letterWidth);
  const end = (name: Name) => begin(name) + name.text.length * letterWidth;
  return Math.abs(a.y - b.y) < lineHeight && begin(a) < end(b) && begin(b) < end(a);
}

function mark(point: Point, index: number, name: Name | null, { x, y }: Scale): View {
  const left = x(point.costUsd);
  const placed = { x1: at(left), x2: at(left), y1: at(y(point.low)), y2: at(y(point.high)) };
  return el(
    'g',
    { key: `point-${point.label}`, class: 'point' },
    el('line', { key: 'interval', attributes: placed }),
    el(
      'g',
      { key: 'place', attributes: { transform: `translate(${at(left)} ${at(y(point.mean))})` } },
      shape(index, point.isOnFront),
    ),
    name === null ? null : label('name', name.x, name.y, name.anchor, name.text),
  );
}

function shape(index: number, isFilled: boolean): View {
  return el('path', {
    key: 'shape',
    class: isFilled ? 'on' : 'off',
    attributes: { d: shapes[index % shapes.length] ?? '' },
  });
}

function label(key: string, x: number, y: number, anchor: 'start' | 'middle' | 'end', text: string): View {
  return el('text', { key, attributes: { x: at(x), y: at(y), 'text-anchor': anchor } }, text);
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}

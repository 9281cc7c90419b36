import type { AgentFigures } from '../../../protocol/comparison.ts';
import { toMarkup } from './escape.ts';

/** Colour says nothing: every agent has a shape, filled on the front. */
const shapes = [
  '<circle r="5"/>',
  '<rect x="-5" y="-5" width="10" height="10"/>',
  '<path d="M0-6 6 5H-6z"/>',
  '<path d="M0-6 6 0 0 6-6 0z"/>',
  '<path d="M0 6 6-5H-6z"/>',
  '<path d="M-5-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z"/>',
];

const area = { left: 40, right: 504, top: 20, bottom: 236 };
/** Labels of agents off the front are left out beyond so many. */
const mostLabels = 8;

interface Point {
  readonly agent: AgentFigures;
  readonly cost: number;
  readonly reward: { readonly mean: number; readonly low: number; readonly high: number };
}

/** The sign of an agent in tables, where the plot shows it. */
export function shapeOf(agents: readonly AgentFigures[], agent: AgentFigures): string {
  const index = pointsOf(agents).findIndex(point => point.agent === agent);
  if (index < 0) return '';
  return `<svg class="shape${agent.isOnFront ? ' on' : ''}" viewBox="-8 -8 16 16" aria-hidden="true">${shape(index)}</svg> `;
}

/** Cost per trial against reward, with the Pareto front; empty when fewer than two agents have a price. */
export function scatter(agents: readonly AgentFigures[]): string {
  const points = pointsOf(agents);
  if (points.length < 2) return '';
  const mostCost = niceAbove(Math.max(...points.map(point => point.cost)));
  const x = (cost: number) => area.left + (cost / mostCost) * (area.right - area.left);
  const y = (reward: number) => area.bottom - reward * (area.bottom - area.top);
  const names = points.filter(point => point.agent.isOnFront).map(point => point.agent.label);
  const told = toMarkup(`Cost per trial against reward; the Pareto front is ${names.join(' and ')}`);
  return `<svg class="plot" viewBox="0 0 520 280" role="img" aria-label="${told}">${axes(mostCost, x, y)}
<path class="front" d="${frontPath(points, x, y)}"/>${points.map((point, index) => drawn(point, index, points.length, x, y)).join('')}</svg>
<p class="cap">Filled points are on the Pareto front: no other agent is both cheaper and better. Lines are 95 % intervals.</p>`;
}

function pointsOf(agents: readonly AgentFigures[]): Point[] {
  return agents.flatMap(agent =>
    agent.isOnFront === null || agent.reward === null || agent.costPerTrial.amountUsd === null
      ? []
      : [{ agent, cost: agent.costPerTrial.amountUsd, reward: agent.reward }],
  );
}

function shape(index: number): string {
  return shapes[index % shapes.length] ?? '';
}

type Scale = (value: number) => number;

function axes(mostCost: number, x: Scale, y: Scale): string {
  const rewards = [0, 0.25, 0.5, 0.75, 1].map(
    value => `<line class="grid" x1="${area.left}" x2="${area.right}" y1="${at(y(value))}" y2="${at(y(value))}"/>
<text x="${area.left - 8}" y="${at(y(value) + 4)}" text-anchor="end">${value}</text>`,
  );
  const costs = [0, 0.25, 0.5, 0.75, 1].map(share => {
    const cost = share * mostCost;
    return `<text x="${at(x(cost))}" y="254" text-anchor="middle">$${cost.toFixed(mostCost < 0.1 ? 4 : 2)}</text>`;
  });
  return `${rewards.join('')}${costs.join('')}<text x="272" y="274" text-anchor="middle">Cost per trial, mean</text>
<text x="${area.left}" y="12">Reward, mean with 95 % interval</text>`;
}

function frontPath(points: readonly Point[], x: Scale, y: Scale): string {
  const front = points.filter(point => point.agent.isOnFront).toSorted((a, b) => a.cost - b.cost);
  const steps = front.map(({ cost, reward }, index) =>
    index === 0 ? `M${at(x(cost))} ${area.bottom}V${at(y(reward.mean))}` : `H${at(x(cost))}V${at(y(reward.mean))}`,
  );
  return `${steps.join('')}H${area.right}`;
}

function drawn({ agent, cost, reward }: Point, index: number, count: number, x: Scale, y: Scale): string {
  const left = x(cost);
  const isRight = left > (area.left + area.right) / 2;
  const label =
    agent.isOnFront || count <= mostLabels
      ? `<text class="label" x="${at(left + (isRight ? -10 : 10))}" y="${at(y(reward.mean) + (agent.isOnFront ? -6 : 16))}" text-anchor="${isRight ? 'end' : 'start'}">${toMarkup(short(agent.label))}</text>`
      : '';
  return `<g class="point${agent.isOnFront ? ' on' : ''}"><line x1="${at(left)}" x2="${at(left)}" y1="${at(y(reward.low))}" y2="${at(y(reward.high))}"/>
<g transform="translate(${at(left)} ${at(y(reward.mean))})">${shape(index)}</g>${label}</g>`;
}

function short(label: string): string {
  return label.length <= 24 ? label : `${label.slice(0, 23)}…`;
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}

/** 1, 2 or 5 times a power of ten that is not below the value. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find(step => step * power >= value) ?? 10) * power;
}

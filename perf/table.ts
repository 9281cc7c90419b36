import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/root.ts';
import { type Figure, fairPeer, proxyPeers } from './figure.ts';

/** The shape of the machine, without which no number means anything. */
export function machine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${memory}, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** A Markdown table; what could not be measured is "–". Peers without a column stand beside the figure. */
export function tableOf(figures: readonly Figure[], columns: readonly string[] = proxyPeers): string {
  const hasRatio = columns.includes(fairPeer);
  const ratio = hasRatio ? [`ours ÷ ${fairPeer}`] : [];
  const header = ['figure', 'unit', 'ours', ...columns, ...ratio, 'goal (stretch)', 'met'];
  const rows = figures.map(figure => [
    figure.figure + remarksOn(figure, columns),
    figure.unit,
    figure.void === undefined ? cell(figure.ours) : `void: ${figure.void}`,
    ...columns.map(peer => cell(figure.peers[peer] ?? null)),
    ...(hasRatio ? [fairPeer in figure.peers ? cell(figure.ratio) : '–'] : []),
    figure.goal,
    figure.met === null ? '–' : figure.met ? 'yes' : 'no',
  ]);
  return [header, header.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n');
}

/** Puts `text` between the marks of that name in docs/performance.md. */
export function fillDocument(name: 'figures' | 'editor' | 'conformance' | 'kills', text: string): void {
  const file = join(root, 'docs', 'performance.md');
  const [before, between] = readFileSync(file, 'utf8').split(`<!-- ${name} -->\n`);
  const after = between?.split(`<!-- /${name} -->`)[1];
  if (after === undefined) throw new Error(`${file} has no marks <!-- ${name} --> and <!-- /${name} -->.`);
  writeFileSync(file, `${before}<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->${after}`);
}

/** The note, and what this one figure is compared with that has no column. */
function remarksOn({ note, peers }: Figure, columns: readonly string[]): string {
  const others = Object.entries(peers).filter(([peer]) => peer !== 'direct' && !columns.includes(peer));
  const direct = peers['direct'] === undefined ? [] : [`direct: ${cell(peers['direct'])}`];
  const remarks = [...direct, ...others.map(([peer, value]) => `${peer}: ${cell(value)}`), ...(note ? [note] : [])];
  return remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
}

function cell(value: number | null): string {
  return value === null ? '–' : String(value);
}

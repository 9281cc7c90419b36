import { cpus, totalmem } from 'node:os';
import { type Figure, fairPeer } from './figure.ts';

/** The shape of the machine, without which no number means anything. */
export function machine(): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${memory}, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

/** A Markdown table; what could not be measured is "–". */
export function tableOf(figures: readonly Figure[]): string {
  const peers = [...new Set(figures.flatMap(figure => Object.keys(figure.peers)))];
  const header = ['figure', 'unit', 'ours', ...peers, `ratio to ${fairPeer}`, 'goal (stretch)', 'met'];
  const rows = figures.map(figure => [
    figure.figure + (figure.note ? ` (${figure.note})` : ''),
    figure.unit,
    figure.void === undefined ? cell(figure.ours) : `void: ${figure.void}`,
    ...peers.map(peer => cell(figure.peers[peer] ?? null)),
    cell(figure.ratio),
    figure.goal,
    figure.met === null ? '–' : figure.met ? 'yes' : 'no',
  ]);
  return [header, header.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n');
}

function cell(value: number | null): string {
  return value === null ? '–' : String(value);
}

import { createHash } from 'node:crypto';
import { noFigure, plural, toClock, toDuration, toLatency, toMoney } from '../../../../protocol/figures.ts';
import type { ConversationItem, Exchange, SessionReport } from '../../../../protocol/sessions.ts';
import { cachedShare } from '../../../../protocol/usage.ts';
import { escapeMarkup } from '../../../base/markup.ts';
import { version } from '../../../base/version.ts';
import { type SessionReader, wholeSession } from '../../sessions/sessionReader.ts';
import { reportOf } from '../../sessions/sessionReport.ts';
import { pairOutputs } from '../../sessions/toolOutputs.ts';
import { type ItemContext, itemHtml } from './items.ts';
import { pageScript } from './script.ts';
import { pageStyle } from './style.ts';
import { toHtmlName } from './text.ts';

/** Text that a page holds in whole; of a session with more, each item shows less. */
const maxPageLength = 24_000_000;

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = `default-src 'none'; style-src ${digest(pageStyle)}; script-src ${digest(pageScript)}; base-uri 'none'; form-action 'none'`;

const count = (value: number | null) => (value === null ? noFigure : value.toLocaleString('en-US'));
const percent = (share: number | null) => (share === null ? noFigure : `${Math.round(share * 100)} %`);

/**
 * One session as one HTML file that loads nothing: it opens from disk and prints. Whatever was recorded stands in it as
 * text; its policy lets no script run but the page's own search.
 * @throws CoachError `session.missing`
 */
export function toSessionHtml(reader: SessionReader, sessionId: string): string {
  const whole = wholeSession(reader, sessionId);
  const { session, exchanges, conversation: items } = whole;
  const report = reportOf(whole);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeMarkup(policy)}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${toHtmlName(session.title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<header><h1>${toHtmlName(session.title)}</h1>
<p class="dim">${toHtmlName(headline(report, reader.userAgent(sessionId)))}</p>
<div class="sum"><dl>${figures(report)}</dl>${bars(exchanges)}</div></header>
${toolbar}
<main><div class="x heads" aria-hidden="true"><span>#</span><span>Conversation</span><span>Tokens in</span><span>Cached</span><span>Out</span><span>Cost</span><span>First byte</span></div>
${rows(exchanges, items, session.agent ?? 'Agent')}
</main>
<footer class="dim">Made by Codex Coach ${version}. This file loads nothing and sends nothing.</footer>
<script>${pageScript}</script>
</body>
</html>
`;
}

const toolbar = `<div class="bar" role="search"><label>Search <input type="search" id="find" placeholder="this session" spellcheck="false"></label>
<button type="button" id="previous">Previous</button><button type="button" id="next">Next</button><output id="found" class="dim"></output>
<span class="show"><label><input type="checkbox" id="messages" checked> Messages</label><label><input type="checkbox" id="tools" checked> Tools</label>
<label><input type="checkbox" id="reasoning" checked> Reasoning</label><label><input type="checkbox" id="notes" checked> Context</label>
<button type="button" id="unfold">Unfold all</button></span></div>`;

function headline({ session }: SessionReport, userAgent: string | null): string {
  const agentVersion = /\/(\d[\w.-]*)/.exec(userAgent ?? '')?.[1];
  return [
    [session.agent ?? 'unknown agent', agentVersion].filter(part => part !== undefined).join(' '),
    session.models.join(', ') || 'no model',
    `recorded ${session.startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    ...(session.repository === null ? [] : [session.repository]),
    `session ${session.id}`,
    ...(session.source === 'codexFile' ? ['from Codex’s own session file'] : []),
  ].join(' · ');
}

function figures({ session, turns, retries, firstByteMs, elapsedMs, modelMs, tools, files }: SessionReport): string {
  const { usage, cost } = session;
  const calls = tools.reduce((sum, tool) => sum + tool.calls, 0);
  const failures = tools.reduce((sum, tool) => sum + tool.failures, 0);
  const reasoning = usage.reasoningTokens === null ? '' : `${count(usage.reasoningTokens)} reasoning`;
  const figure = (name: string, value: string, aside = '') =>
    `<div><dt>${name}</dt><dd><b>${value}</b>${aside === '' ? '' : ` <span class="dim">${aside}</span>`}</dd></div>`;
  return [
    figure(
      'Exchanges',
      count(session.exchanges),
      `${turns} ${plural(turns, 'turn')}${retries === 0 ? '' : `, ${retries} retried`}`,
    ),
    figure(
      'Tokens in',
      count(usage.inputTokens),
      usage.inputTokens === null ? '' : `${percent(cachedShare(usage))} cached`,
    ),
    figure('Tokens out', count(usage.outputTokens), reasoning),
    figure('Cost', toMoney(cost)),
    figure('First byte', toLatency(firstByteMs?.p50 ?? null), firstByteMs === null ? '' : 'median'),
    figure('Time', toDuration(elapsedMs), `${toDuration(modelMs)} model`),
    figure('Tools', count(calls), failures === 0 ? '' : `${failures} failed`),
    figure('Files', count(files.length)),
  ].join('');
}

/** Size of each request beside the others, and what of it the provider had cached. */
function bars(exchanges: readonly Exchange[]): string {
  // More bars than that would be thinner than a pixel.
  if (exchanges.length < 2 || exchanges.length > 200) return '';
  const most = Math.max(1, ...exchanges.map(exchange => exchange.usage.inputTokens ?? 0));
  const width = 280 / exchanges.length;
  const rects = exchanges.map(({ usage }, index) => {
    const height = (36 * (usage.inputTokens ?? 0)) / most;
    const cached = height * (cachedShare(usage) ?? 0);
    const rect = (kind: string, high: number) =>
      `<rect class="${kind}" x="${(index * width).toFixed(2)}" y="${(40 - high).toFixed(2)}" width="${Math.max(1, width - 2).toFixed(2)}" height="${high.toFixed(2)}"/>`;
    const title = `Exchange ${index + 1}: ${count(usage.inputTokens)} tokens in, ${percent(cachedShare(usage))} cached`;
    return `<a href="#x${index + 1}"><title>${title}</title>${rect('full', height)}${rect('cached', cached)}</a>`;
  });
  return `<figure><svg viewBox="0 0 280 40" width="280" height="40" role="img" aria-label="Request size by exchange">${rects.join('')}</svg>
<figcaption class="dim">Request size · <i class="key cached"></i>cached <i class="key"></i>not cached</figcaption></figure>`;
}

function rows(exchanges: readonly Exchange[], items: readonly ConversationItem[], agent: string): string {
  if (exchanges.length === 0 && items.length === 0) return '<p class="none">Nothing was said in this session.</p>';
  const length = items.reduce((sum, item) => sum + item.text.length, 0);
  const outputs = pairOutputs(items);
  const context: ItemContext = {
    outputs,
    withCall: new Set(outputs.values()),
    agent,
    share: Math.max(0.02, Math.min(1, maxPageLength / Math.max(1, length))),
  };
  const byExchange = Map.groupBy(items, item => item.exchangeId);
  const startMs = Date.parse(exchanges[0]?.startedAt ?? '');
  return exchanges
    .map((exchange, index) => row(exchange, index, byExchange.get(exchange.id) ?? [], context, startMs))
    .join('\n');
}

function row(
  exchange: Exchange,
  index: number,
  said: readonly ConversationItem[],
  context: ItemContext,
  startMs: number,
): string {
  const { usage } = exchange;
  const number = (name: string, value: string) => `<span class="n"><span class="name">${name} </span>${value}</span>`;
  const failed = exchange.error ?? ((exchange.status ?? 200) >= 400 ? `The API answered ${exchange.status}.` : null);
  return `<section class="x" id="x${index + 1}"><span class="no"><b>${index + 1}</b><span class="dim">${toClock(Date.parse(exchange.startedAt) - startMs)}</span></span>
<div class="talk">${said.map(item => itemHtml(item, context)).join('\n')}${failed === null ? '' : `<p class="error">${toHtmlName(failed)}</p>`}</div>
${number('Tokens in', count(usage.inputTokens))}${number('Cached', percent(cachedShare(usage)))}${number('Out', count(usage.outputTokens))}${number('Cost', toMoney(exchange.cost))}${number('First byte', toLatency(exchange.timeToFirstByteMs))}</section>`;
}

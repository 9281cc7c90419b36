import type { Change, RequestChanges } from '../../../protocol/sessions.ts';
import type { WholeExchange } from '../store.ts';
import { asRead, itemsOf, type NamedParts, partsOf, type RequestParts } from './requestParts.ts';

/** Characters of a text that a change shows, and of those how many before what changed. */
const shownLength = 2000;
const shownBefore = 200;

/** What `after` asks otherwise than `before`, the request before it; null where there is none. */
export function toRequestChanges(before: WholeExchange | null, after: WholeExchange): RequestChanges {
  const old = partsOf(before);
  const now = partsOf(after);
  return {
    exchange: after.exchange,
    previousId: before?.exchange.id ?? null,
    ...keptOf(old, now),
    items: itemChanges(old.items, now.items),
    tools: [...mapChanges(old.tools, now.tools), ...orderChange('order of tools', old.tools, now.tools)],
    settings: mapChanges(old.settings, now.settings),
  };
}

/** How much of the prompt is as it was: a provider's cache holds up to the first difference. */
function keptOf(old: RequestParts, now: RequestParts) {
  const differs = old.prompt.findIndex(({ read }, index) => read !== now.prompt[index]?.read);
  const kept = differs < 0 ? old.prompt : old.prompt.slice(0, differs);
  return {
    keptItems: kept.filter(({ isItem }) => isItem).length,
    itemsBefore: old.items.length,
    itemsAfter: now.items.length,
    prefixKept: differs < 0,
  };
}

function mapChanges(before: NamedParts, after: NamedParts): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap(name => {
    const old = before.get(name);
    const now = after.get(name);
    return old?.read === now?.read ? [] : [toChange(name, old?.text, now?.text)];
  });
}

/** What both have, when it stands in another order. */
function orderChange(name: string, before: NamedParts, after: NamedParts): Change[] {
  const old = [...before.keys()].filter(key => after.has(key)).join(', ');
  const now = [...after.keys()].filter(key => before.has(key)).join(', ');
  return old === now ? [] : [toChange(name, old, now)];
}

/**
 * Requests mostly grow at their end, so what both share at the beginning and at the end is set aside; in between, items
 * that are one and the same thing have changed, the others came or went.
 */
function itemChanges(before: readonly unknown[], after: readonly unknown[]): Change[] {
  const old = before.map(asRead);
  const now = after.map(asRead);
  let kept = 0;
  while (kept < old.length && kept < now.length && old[kept] === now[kept]) kept++;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - kept && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const gone = itemsOf(before.slice(kept, before.length - tail));
  const come = itemsOf(after.slice(kept, after.length - tail));
  return [...mapChanges(gone, come), ...orderChange('order of items', gone, come)];
}

function toChange(name: string, before: string | undefined, after: string | undefined): Change {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const from = change === 'changed' ? firstDifference(before ?? '', after ?? '') - shownBefore : 0;
  return { change, name, before: cut(before, from), after: cut(after, from) };
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}

/** A text that is cut says how long it is. */
function cut(text: string | undefined, from: number): string | null {
  if (text === undefined) return null;
  if (text.length <= shownLength) return text;
  const start = Math.max(0, Math.min(from, text.length - shownLength));
  const shown = text.slice(start, start + shownLength);
  return `${start > 0 ? '…' : ''}${shown}${start + shownLength < text.length ? '…' : ''} (${text.length} characters)`;
}

import type { Change, RequestChanges } from '../../protocol/sessions.ts';
import { dialectNamed } from './dialects/index.ts';
import { arrayAt, isObject, type JsonObject, objectAt, stringAt } from './json.ts';
import type { WholeExchange } from './store.ts';

/** Characters of a text that a change shows. */
const shownLength = 2000;

/** Fields that name the turn and its connection: they always differ and the model does not read them. */
const bookkeeping = new Set(['client_metadata', 'metadata', 'previous_response_id', 'prompt_cache_key', 'generate']);

/** What `after` asks otherwise than `before`, the request before it; null where there is none. */
export function toRequestChanges(before: WholeExchange | null, after: WholeExchange): RequestChanges {
  const old = partsOf(before);
  const now = partsOf(after);
  const items = listChanges(old.items, now.items);
  return {
    exchange: after.exchange,
    previousId: before?.exchange.id ?? null,
    ...items,
    tools: mapChanges(old.tools, now.tools),
    settings: mapChanges(old.settings, now.settings),
  };
}

interface Parts {
  readonly items: readonly unknown[];
  readonly tools: ReadonlyMap<string, string>;
  readonly settings: ReadonlyMap<string, string>;
}

function partsOf(whole: WholeExchange | null): Parts {
  const sent = whole?.request;
  if (whole === null || !isObject(sent)) return { items: [], tools: new Map(), settings: new Map() };
  const listField = dialectNamed(whole.exchange.dialect)?.listField ?? 'input';
  const wrapped = objectAt(sent, 'request');
  const request = Array.isArray(wrapped?.[listField]) ? { ...sent, request: null, ...wrapped } : sent;
  const items = arrayAt(request, listField);
  const ownTools = items.filter(item => stringAt(item, 'type') === 'additional_tools');
  const { [listField]: _list, tools: _tools, ...rest } = request;
  return {
    items: items.filter(item => !ownTools.includes(item)),
    tools: toolsOf([...arrayAt(request, 'tools'), ...ownTools.flatMap(item => arrayAt(item, 'tools'))]),
    settings: settingsOf(rest),
  };
}

/** Every tool by its name; those of a namespace or of Gemini's groups one by one. */
function toolsOf(tools: readonly unknown[], space = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const tool of tools) {
    const group = [...arrayAt(tool, 'tools'), ...arrayAt(tool, 'functionDeclarations')];
    const own = isObject(tool) && isObject(tool['function']) ? tool['function'] : tool;
    const name = `${space}${stringAt(own, 'name') ?? stringAt(tool, 'type') ?? 'tool'}`;
    if (group.length === 0) found.set(name, JSON.stringify(tool));
    else for (const [member, text] of toolsOf(group, stringAt(tool, 'name') ? `${name}.` : '')) found.set(member, text);
  }
  return found;
}

/** Settings by their dotted path; lists and texts whole. */
function settingsOf(value: JsonObject, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, member] of Object.entries(value)) {
    if (path === '' && bookkeeping.has(name)) continue;
    if (isObject(member)) for (const [key, text] of settingsOf(member, `${path}${name}.`)) found.set(key, text);
    else found.set(path + name, typeof member === 'string' ? member : (JSON.stringify(member) ?? 'null'));
  }
  return found;
}

function mapChanges(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Change[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap(name => {
    const old = before.get(name);
    const now = after.get(name);
    return old === now ? [] : [toChange(name, old, now)];
  });
}

/**
 * Requests mostly grow at their end, so what both share at the beginning and at the end is set aside; in between, items
 * that are one and the same thing (by id, call or place) have changed, the others came or went.
 */
function listChanges(before: readonly unknown[], after: readonly unknown[]) {
  const old = before.map(item => JSON.stringify(item));
  const now = after.map(item => JSON.stringify(item));
  let kept = 0;
  while (kept < old.length && kept < now.length && old[kept] === now[kept]) kept++;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - kept && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const gone = before.slice(kept, before.length - tail);
  const come = after.slice(kept, after.length - tail);
  return {
    keptItems: kept,
    itemsBefore: before.length,
    itemsAfter: after.length,
    prefixKept: kept === before.length,
    items: mapChanges(keyed(gone), keyed(come)),
  };
}

function keyed(items: readonly unknown[]): Map<string, string> {
  const found = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const item of items) {
    const kind = stringAt(item, 'type') ?? stringAt(item, 'role') ?? 'item';
    const role = kind === 'message' ? stringAt(item, 'role') : null;
    const own = stringAt(item, 'call_id') ?? stringAt(item, 'tool_call_id') ?? stringAt(item, 'id');
    const base = [kind, role, own].filter(part => part !== null).join(' ');
    let name = base;
    let count = counts.get(base) ?? 1;
    while (found.has(name)) name = `${base} (${++count})`;
    counts.set(base, count);
    found.set(name, JSON.stringify(item));
  }
  return found;
}

function toChange(name: string, before: string | undefined, after: string | undefined): Change {
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  return { change, name, before: cut(before), after: cut(after) };
}

/** A text that is cut says how long it is. */
function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}… (${text.length} characters)`;
}

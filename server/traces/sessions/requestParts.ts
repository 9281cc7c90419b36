import { dialectNamed } from '../dialects/index.ts';
import { withoutBilling } from '../dialects/messages.ts';
import { arrayAt, isObject, type JsonObject, objectAt, stringAt } from '../json.ts';
import type { WholeExchange } from '../store.ts';

/** A piece of a request: as it was sent, and as the model reads it. */
export interface Part {
  readonly text: string;
  readonly read: string;
}

export type NamedParts = ReadonlyMap<string, Part>;

/** A request taken apart into what may change from one to the next. */
export interface RequestParts {
  readonly items: readonly unknown[];
  readonly tools: NamedParts;
  readonly settings: NamedParts;
  /** The whole prompt in the order in which a provider caches it: what stands before the conversation, then that. */
  readonly prompt: readonly { readonly read: string; readonly isItem: boolean }[];
}

/** Fields that name the turn and its connection: they always differ and the model does not read them. */
const bookkeeping = new Set(['client_metadata', 'metadata', 'previous_response_id', 'generate']);

/** Fields that stand before the conversation in the prompt. */
const leading = ['instructions', 'system', 'systemInstruction', 'system_instruction', 'tools'] as const;

export function partsOf(whole: WholeExchange | null): RequestParts {
  const sent = whole?.request;
  if (whole === null || !isObject(sent)) return { items: [], tools: new Map(), settings: new Map(), prompt: [] };
  const { url, upstreamHost } = whole.exchange;
  const dialect = dialectNamed(whole.exchange.dialect);
  const listField = dialect?.listField ?? 'input';
  const wrapped = objectAt(sent, 'request');
  const unwrapped: JsonObject = Array.isArray(wrapped?.[listField]) ? { ...sent, request: null, ...wrapped } : sent;
  const request = asGiven(unwrapped, upstreamHost);
  const { [listField]: list, tools, ...rest } = request;
  const all: readonly unknown[] = Array.isArray(list) ? list : list == null ? [] : [list];
  const ownTools = all.filter(isTools).flatMap(item => arrayAt(item, 'tools'));
  const model = dialect?.model(url.split('?')[0] ?? '', sent) ?? null;
  const before = leading.map(field => request[field]);
  return {
    items: all.filter(item => !isTools(item)),
    tools: numbered(toolsOf([...arrayAt(request, 'tools'), ...ownTools])),
    settings: settingsOf({ ...(model === null ? {} : { model }), ...rest, ...marksOf(request) }),
    prompt: [
      { read: asRead([model, ...before]), isItem: false },
      ...all.map(item => ({ read: asRead(item), isItem: !isTools(item) })),
    ],
  };
}

function isTools(item: unknown): boolean {
  return stringAt(item, 'type') === 'additional_tools';
}

/** As Anthropic gives it to the model; others may give it all of what was sent. */
function asGiven(request: JsonObject, host: string): JsonObject {
  const { system } = request;
  if (!Array.isArray(system) || !/(^|\.)anthropic\.com$/.test(host)) return request;
  return { ...request, system: withoutBilling(system) };
}

/**
 * JSON without what the model does not read: marks of what to cache, which agents move on with every request, and
 * whether a single text stands in a list, as it must to have such a mark.
 */
export function asRead(value: unknown): string {
  const read = (key: string, member: unknown) => {
    if (key === 'cache_control') return undefined;
    return key === 'content' ? onlyText(member) : member;
  };
  return JSON.stringify(value, read) ?? 'null';
}

function onlyText(content: unknown): unknown {
  if (!Array.isArray(content) || content.length !== 1 || stringAt(content[0], 'type') !== 'text') return content;
  const { type: _type, text, cache_control: _mark, ...more } = content[0] as JsonObject;
  return Object.keys(more).length === 0 ? text : content;
}

/** How many marks of what to cache stand in which field, as a setting: without them nothing is cached. */
function marksOf(request: JsonObject): JsonObject {
  const counts = new Map<string, number>();
  for (const [field, value] of Object.entries(request)) {
    JSON.stringify(value, (key, member: unknown) => {
      const mark = key === 'cache_control' ? `${field} ${JSON.stringify(member)}` : null;
      if (mark !== null) counts.set(mark, (counts.get(mark) ?? 0) + 1);
      return member;
    });
  }
  const words = [...counts].map(([mark, count]) => `${count} in ${mark}`).sort();
  return words.length === 0 ? {} : { 'cache marks': words.join(', ') };
}

type Named = readonly [name: string, part: Part];

/** Every tool by its name; those of a namespace or of Gemini's groups one by one, beside what else the group says. */
function toolsOf(tools: readonly unknown[], space = ''): Named[] {
  return tools.flatMap(tool => {
    const name = stringAt(tool, 'name');
    const group = [...arrayAt(tool, 'tools'), ...arrayAt(tool, 'functionDeclarations')];
    if (group.length === 0) return [toNamed(space + toolName(tool), tool)];
    const { tools: _tools, functionDeclarations: _functions, ...rest } = tool as JsonObject;
    const own = Object.keys(rest).length === 0 ? [] : [toNamed(space + toolName(rest), rest)];
    return [...own, ...toolsOf(group, name === null ? space : `${space}${name}.`)];
  });
}

/** Tools at the provider have no name: an MCP server has a label, Gemini's is the only key (`googleSearch`). */
function toolName(tool: unknown): string {
  const own = objectAt(tool, 'function') ?? tool;
  const named = stringAt(own, 'name') ?? stringAt(tool, 'server_label') ?? stringAt(tool, 'type');
  return named ?? (Object.keys(isObject(tool) ? tool : {}).join(' ') || 'tool');
}

/** Items that are one and the same thing by id, call or place. */
export function itemsOf(items: readonly unknown[]): NamedParts {
  return numbered(
    items.map(item => {
      const kind = stringAt(item, 'type') ?? stringAt(item, 'role') ?? 'item';
      const role = kind === 'message' ? stringAt(item, 'role') : null;
      const own = stringAt(item, 'call_id') ?? stringAt(item, 'tool_call_id') ?? stringAt(item, 'id');
      return toNamed([kind, role, own].filter(part => part !== null).join(' '), item);
    }),
  );
}

/** Settings by their dotted path; lists and texts whole. */
function settingsOf(value: JsonObject, path = ''): Map<string, Part> {
  const found = new Map<string, Part>();
  for (const [name, member] of Object.entries(value)) {
    if (path === '' && bookkeeping.has(name)) continue;
    if (isObject(member) && Object.keys(member).length > 0) {
      for (const [key, part] of settingsOf(member, `${path}${name}.`)) found.set(key, part);
    } else found.set(...toNamed(path + name, member));
  }
  return found;
}

function toNamed(name: string, value: unknown): [name: string, part: Part] {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
  return [name, { text, read: asRead(value) }];
}

/** Of several that have one name, the second is `name (2)`. */
function numbered(parts: readonly Named[]): Map<string, Part> {
  const found = new Map<string, Part>();
  const counts = new Map<string, number>();
  for (const [base, part] of parts) {
    let name = base;
    let count = counts.get(base) ?? 1;
    while (found.has(name)) name = `${base} (${++count})`;
    counts.set(base, count);
    found.set(name, part);
  }
  return found;
}

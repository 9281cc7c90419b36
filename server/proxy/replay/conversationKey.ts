import { createHash } from 'node:crypto';
import type { DialectReader, Utterance } from '../../traces/dialects/dialect.ts';
import { arrayAt, isObject, objectAt, stringAt } from '../../traces/json.ts';
import { agentDirectory } from '../../traces/sessions/agentDirectory.ts';
import { isPrompt, workingDirectory } from '../../traces/sessions/conversationId.ts';
import { normaliseOutput } from './normalise.ts';

/** A request reduced to what decides which answer fits it. */
export interface NormalisedRequest {
  /** What is asked of the API, as its path ends: `responses`, `compact`, `streamGenerateContent`. */
  readonly operation: string;
  /** What people, tools and the model said so far, oldest first, without what varies from run to run. */
  readonly said: readonly string[];
  /** Side requests of agents, such as for a title, offer the model no tools. */
  readonly offersTools: boolean;
  /** Instructions and context that the agent's program wrote: they vary with its version and place. */
  readonly context: { readonly before: readonly string[]; readonly within: readonly string[] };
  readonly cwd: string | null;
}

/** What pieces of a request say: what decides the answer, and what the agent's program wrote. */
export interface Lines {
  readonly said: readonly string[];
  readonly context: readonly string[];
}

/**
 * `anyPrompt`: a person's prompts count, their words do not, as when a task is worded anew from the session.
 * Reasoning is left out: agents send it back or not, as they like. `path` is without query.
 */
export function normaliseRequest(
  dialect: DialectReader,
  path: string,
  body: unknown,
  anyPrompt: boolean,
): NormalisedRequest {
  const [before, ...items] = spoken(dialect, body);
  const cwd = workingDirectory(body) ?? agentDirectory([before, ...items].flatMap(saidIn)) ?? null;
  const first = linesOf([before], cwd, anyPrompt);
  const rest = linesOf(items, cwd, anyPrompt);
  const said = [...first.said, ...rest.said];
  const context = { before: first.context, within: rest.context };
  // Of a format that is not known, all of it counts.
  if (said.length === 0 && context.before.length === 0 && context.within.length === 0) said.push(wordless(body, cwd));
  return { operation: operationOf(path), said, offersTools: offersTools(body), context, cwd };
}

/** What is asked of the API, by a path without query. */
export function operationOf(path: string): string {
  return /[^/:]*$/.exec(path.replace(/\/$/, ''))?.[0] ?? '';
}

/** What items of a conversation say: each for itself, whatever stands before it. */
export function linesOf(pieces: readonly Spoken[], cwd: string | null, anyPrompt: boolean): Lines {
  const said: string[] = [];
  const context: string[] = [];
  for (const { item, utterances } of pieces) {
    if (utterances.length === 0 && isMeant(item)) said.push(wordless(item, cwd));
    for (const utterance of utterances) {
      const line = lineOf(utterance, cwd, anyPrompt);
      if (line === null) context.push(normaliseOutput(utterance.text, cwd));
      else if (utterance.kind !== 'reasoning') said.push(line);
    }
  }
  return { said, context };
}

export interface Spoken {
  /** Null for what stands outside of the conversation's list. */
  readonly item: unknown;
  readonly utterances: readonly Utterance[];
}

export const saidIn = ({ utterances }: Spoken) => utterances;

/** What each item of the conversation says, after what stands before all of them. */
export function spoken(dialect: DialectReader, body: unknown): [before: Spoken, ...items: Spoken[]] {
  const field = dialect.listField;
  const wrapped = objectAt(body, 'request');
  const request = Array.isArray(wrapped?.[field]) ? wrapped : body;
  if (!isObject(request) || !Array.isArray(request[field])) return [{ item: null, utterances: dialect.asked(body) }];
  return [
    { item: null, utterances: dialect.asked({ ...request, [field]: [] }) },
    ...arrayAt(request, field).map(item => spokenItem(dialect, item)),
  ];
}

export function spokenItem(dialect: DialectReader, item: unknown): Spoken {
  return { item, utterances: dialect.asked({ [dialect.listField]: [item] }) };
}

/** What has no words yet decides the answer, such as a compacted conversation. Tools vary with the agent's version. */
function isMeant(item: unknown): boolean {
  return item !== null && stringAt(item, 'type') !== 'reasoning' && !offersTools(item);
}

/** Fields that number an item or its turn anew in every run. */
const ofItsRun = new Set(['id', 'status', 'internal_chat_message_metadata_passthrough']);

/** An item by what is in it; one that has nothing but an id (`item_reference`) by that. */
function wordless(item: unknown, cwd: string | null): string {
  const kind = stringAt(item, 'type') ?? stringAt(item, 'role') ?? 'request';
  const fields = Object.entries(isObject(item) ? item : {});
  const lasting = fields.filter(([name]) => !ofItsRun.has(name));
  const content = lasting.length > 1 ? Object.fromEntries(lasting) : item;
  const text = normaliseOutput(JSON.stringify(content) ?? '', cwd);
  return `${kind} ${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

/** Gemini CLI makes up the ids of calls that the model left without one: `<tool>_<epoch ms>_<number>`. */
const clockInId = /(?<=_)\d{13}(?=_\d+$)/;

/** Null for what the agent's program says. */
function lineOf({ kind, text, toolName, callId }: Utterance, cwd: string | null, anyPrompt: boolean): string | null {
  if (kind === 'system' || kind === 'other' || (kind === 'user' && !isPrompt(text))) return null;
  if (kind === 'user') return anyPrompt ? 'user' : `user: ${normaliseOutput(text, cwd)}`;
  const name = [kind, toolName, callId?.replace(clockInId, '<time>')].filter(part => part != null).join(' ');
  return `${name}: ${normaliseOutput(text, cwd)}`;
}

/** Tools stand in `tools`, or in an item of the conversation (`additional_tools`). */
export function offersTools(body: unknown): boolean {
  const isToolItem = (item: unknown) => arrayAt(item, 'tools').length > 0;
  return isToolItem(body) || arrayAt(body, 'input').some(isToolItem);
}

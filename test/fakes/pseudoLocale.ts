import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Channel } from '../../protocol/channel.ts';
import { root } from '../../scripts/root.ts';

/**
 * A language in which every text of ours stands in brackets and the values in it do not: `⟦End of ⟧{0}`. With data
 * in Cyrillic letters, a Latin letter outside of brackets is a text that was forgotten.
 */
export function pseudoLocale(): Record<string, string> {
  const texts = Object.keys(JSON.parse(readFileSync(join(root, 'l10n', 'bundle.l10n.json'), 'utf8')) as object);
  return Object.fromEntries(texts.map(text => [text, text.replaceAll(/(\{\d\})|([^{]+)/g, bracketed)]));
}

function bracketed(part: string, placeholder: string | undefined): string {
  return placeholder ?? `⟦${part}⟧`;
}

/** Units, notation of the field, and what the browser makes of a date: the same in every language. */
const international = /\b(?:[kMBs]|kB|MB|ms|[AP]M|p(?= [=<])|pass[@^]\d+|unpriced|subscription)\b/g;

/** Those of the texts that say something in letters which no translator was given. */
export function untranslated(texts: readonly string[]): string[] {
  return texts.filter(text => /[a-z]/i.test(text.replaceAll(/⟦[^⟧]*⟧/g, ' ').replaceAll(international, '')));
}

const latin = 'abcdefghijklmnopqrstuvwxyz';
const cyrillic = 'абвгдежзийклмнопрстуфхцчшщ';
const toCyrillic = lettersOf(latin, cyrillic);
const toLatin = lettersOf(cyrillic, latin);

function lettersOf(from: string, to: string): ReadonlyMap<string, string> {
  const pairs = [...from].map((letter, place): [string, string] => [letter, to[place] ?? '']);
  return new Map(pairs.flatMap(([a, b]) => [[a, b] as const, [a.toUpperCase(), b.toUpperCase()] as const]));
}

/** Fields that programs read: choices of the protocol, and times. */
const machineFields = new Set(
  `kind kinds phase end state status expected change basis proofBasis verdict source dialect transport code test
  startedAt finishedAt createdAt endedAt at`.split(/\s+/),
);

/** The same value with everything that a person, a model or a repository wrote in Cyrillic letters. */
export function inCyrillic<T>(value: T): T {
  return spelled(value, toCyrillic) as T;
}

function spelled(value: unknown, letters: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return [...value].map(letter => letters.get(letter) ?? letter).join('');
  if (Array.isArray(value)) return value.map(entry => spelled(entry, letters));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, entry]) => [
    name,
    machineFields.has(name) ? entry : spelled(entry, letters),
  ]);
  return Object.fromEntries(entries);
}

/**
 * A channel on which a page gets its data in Cyrillic letters, and is understood when it asks in them. Answers wait
 * for `opened`.
 */
export function cyrillicChannel(channel: Channel, opened: Promise<void>): Channel {
  return {
    request: (method, params, signal) => channel.request(method, inCyrillic(params), signal),
    notify: (method, params) => channel.notify(method, inCyrillic(params)),
    onRequest: (method, handler) =>
      channel.onRequest(method, async (params, signal) => {
        await opened;
        return inCyrillic(await handler(spelled(params, toLatin), signal));
      }),
    onNotify: (method, listener) => channel.onNotify(method, params => listener(spelled(params, toLatin))),
  };
}

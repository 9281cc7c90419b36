import { isObject, parseJson } from '../json.ts';

/** A call's arguments as a person reads them: the one text in them, else JSON with a line per field. */
export function readableInput(text: string): string {
  const parsed = parseJson(text);
  if (!isObject(parsed)) return text.trim();
  const values = Object.values(parsed);
  const [only] = values;
  if (values.length === 1 && typeof only === 'string') return only.trim();
  const command = parsed['cmd'] ?? parsed['command'];
  const rest = Object.entries(parsed).filter(([, value]) => value !== command);
  const lines = rest.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  if (command !== undefined) lines.unshift(Array.isArray(command) ? command.join(' ') : String(command));
  return lines.join('\n').trim();
}

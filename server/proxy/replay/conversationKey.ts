import { isPrompt, workingDirectory } from '../../traces/conversationId.ts';
import type { DialectReader, Utterance } from '../../traces/dialects/dialect.ts';
import { arrayAt } from '../../traces/json.ts';
import { normaliseOutput } from './normalise.ts';

/** A request reduced to what decides which answer fits it. */
export interface NormalisedRequest {
  /** What people, tools and the model said so far, oldest first, without what varies from run to run. */
  readonly said: readonly string[];
  /** Side requests of agents, such as for a title, offer the model no tools. */
  readonly offersTools: boolean;
  /** Instructions and context that the agent's program wrote: they vary with its version and place. */
  readonly context: string;
  readonly cwd: string | null;
}

/**
 * `anyPrompt`: a person's prompts count, their words do not, as when a task is worded anew from the session.
 * Reasoning is left out: agents send it back or not, as they like.
 */
export function normaliseRequest(dialect: DialectReader, body: unknown, anyPrompt: boolean): NormalisedRequest {
  const cwd = workingDirectory(body);
  const said: string[] = [];
  const context: string[] = [];
  for (const utterance of dialect.asked(body)) {
    const line = lineOf(utterance, cwd, anyPrompt);
    if (line === null) context.push(normaliseOutput(utterance.text, cwd));
    else if (utterance.kind !== 'reasoning') said.push(line);
  }
  return { said, offersTools: offersTools(body), context: context.join('\n'), cwd };
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
function offersTools(body: unknown): boolean {
  const isToolItem = (item: unknown) => arrayAt(item, 'tools').length > 0;
  return isToolItem(body) || arrayAt(body, 'input').some(isToolItem);
}

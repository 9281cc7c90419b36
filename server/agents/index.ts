import { CoachError } from '../../protocol/errors.ts';
import type { Agent } from './agent.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { command } from './command.ts';
import { gemini } from './gemini.ts';
import { nop } from './nop.ts';
import { opencode } from './opencode.ts';
import { oracle } from './oracle.ts';
import { predictions } from './predictions.ts';
import { qwen } from './qwen.ts';

/** The registry: another agent is one file and one line here. */
export const agents: readonly Agent[] = withUniqueIds([
  ...[codex, claude, gemini, opencode, qwen],
  ...[command, predictions, oracle, nop],
]);

/** @throws CoachError `agent.unknown` naming the agents there are */
export function findAgent(id: string): Agent {
  const agent = agents.find(candidate => candidate.id === id);
  if (agent !== undefined) return agent;
  throw new CoachError('agent.unknown', `No agent ${id}.`, {
    hint: `Known: ${agents.map(candidate => candidate.id).join(', ')}.`,
  });
}

/** @throws Error when two agents have the same id: an error of the program, found when it starts */
export function withUniqueIds(all: readonly Agent[]): readonly Agent[] {
  const seen = new Set<string>();
  for (const { id } of all) {
    if (seen.has(id)) throw new Error(`Two agents have the id ${id}.`);
    seen.add(id);
  }
  return all;
}

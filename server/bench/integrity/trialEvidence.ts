import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import type { AgentChoice } from '../../../protocol/runs.ts';
import type { Agent } from '../../agents/agent.ts';
import { asRecord, parseJson, textOf } from '../../agents/json.ts';
import { shellWord } from '../../base/shell.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import { lineReader } from '../trials/agentOutput.ts';
import { type DeniedHost, integrityFlags, type PlacedEvent } from './flags.ts';
import { patchFlags } from './patchFlags.ts';

interface TrialEvidence {
  /** The trial's, with `agent/stdout.jsonl`, `agent/trajectory.json` and `diff.patch` as they are when it is over. */
  readonly directory: string;
  readonly agent: Agent;
  readonly choice: AgentChoice;
  readonly task: Pick<PreparedTask, 'kind' | 'steps'>;
  readonly denied: readonly DeniedHost[];
}

/** The flags of a trial by what lies in its directory, and in those of its steps; none for what is no program. */
export async function flagsOfTrial(trial: TrialEvidence): Promise<IntegrityFlag[]> {
  const { agent, choice, task, denied } = trial;
  if (agent.kind !== 'program') return [];
  const parts = task.steps === undefined ? [''] : task.steps.each.map(({ name }) => `steps/${name}/`);
  const events = choice.command === null ? [] : [commandEvent(choice.command)];
  const patches: string[] = [];
  for (const part of parts) {
    const directory = join(trial.directory, part);
    const told = await eventsOf(directory, agent);
    const all = told.length > 0 ? told : await toolCallsOf(directory);
    for (const { event, place } of all) events.push({ event, place: `${part}${place}` });
    patches.push(await readFile(join(directory, 'diff.patch'), 'utf8').catch(() => ''));
  }
  const writesTests = task.kind === 'test-writing';
  return integrityFlags({
    ...{ events, denied },
    changes: patches.flatMap((patch, index) =>
      patchFlags(patch, writesTests).map(flag => ({ ...flag, place: `${parts[index]}${flag.place}` })),
    ),
  });
}

/** What the agent did by its own words: commands and tools, with their lines. */
async function eventsOf(directory: string, agent: Agent): Promise<PlacedEvent[]> {
  const found: PlacedEvent[] = [];
  let number = 0;
  const read = lineReader(line => {
    number++;
    for (const event of agent.parseLine(line)) {
      if (event.kind === 'command' || event.kind === 'tool') {
        found.push({ event, place: `agent/stdout.jsonl:${number}` });
      }
    }
  });
  try {
    for await (const chunk of createReadStream(join(directory, 'agent', 'stdout.jsonl'))) read(chunk as Buffer);
    read(Buffer.from('\n'));
  } catch {
    // It printed nothing, or was never begun.
  }
  return found;
}

/** What its model called for, as the proxy saw it: for an agent that says nothing of it in a form that we know. */
async function toolCallsOf(directory: string): Promise<PlacedEvent[]> {
  const text = await readFile(join(directory, 'agent', 'trajectory.json'), 'utf8').catch(() => '');
  const steps = asRecord(parseJson(text))['steps'];
  return listOf(steps).flatMap(step => {
    const place = `agent/trajectory.json, step ${asRecord(step)['step_id']}`;
    return listOf(asRecord(step)['tool_calls']).map(call => ({ event: callEvent(asRecord(call)), place }));
  });
}

function callEvent(call: Record<string, unknown>): PlacedEvent['event'] {
  const given = asRecord(call['arguments']);
  const command = [given['command'], given['cmd']].find(value => typeof value === 'string' || Array.isArray(value));
  if (command === undefined) return { kind: 'tool', text: `${textOf(call['function_name'])} ${JSON.stringify(given)}` };
  return Array.isArray(command) ? commandEvent(command.map(String)).event : { kind: 'command', text: textOf(command) };
}

function commandEvent(argv: readonly string[]): PlacedEvent {
  return { event: { kind: 'command', text: argv.map(shellWord).join(' ') }, place: 'command of the agent' };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

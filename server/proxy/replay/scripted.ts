import * as z from 'zod';
import { Usage } from '../../../protocol/usage.ts';
import { stringAt } from '../../traces/json.ts';
import { Redactor } from '../../traces/redaction/redaction.ts';
import { difference } from './difference.ts';
import { cwdMark, mapStrings, normaliseOutput } from './normalise.ts';
import { responseEvents, toSse } from './responseEvents.ts';
import type { ReplayMiss, ReplaySource } from './source.ts';
import { type Turn, turnOf } from './turn.ts';

/** The output of one tool call as the agent must send it back, compared after `normaliseOutput`. */
const ExpectedOutput = z.object({ callId: z.string(), output: z.string() });

/** An output item of the Responses API: `reasoning`, `message`, `function_call` or `custom_tool_call`. */
const ResponseItem = z.looseObject({ type: z.string() });

const ScriptStep = z.object({
  /** Tool outputs that must stand at the end of the request; empty in the first step. */
  expect: z.array(ExpectedOutput),
  /** What the model answers, in order. `<cwd>` in it becomes the agent's working directory. */
  respond: z.array(ResponseItem).min(1),
  usage: Usage,
});
type ScriptStep = z.infer<typeof ScriptStep>;

/** One turn of an agent with a Responses model, written by hand or kept from a real one, as a file. */
export const Script = z.object({
  format: z.literal(1),
  source: z.enum(['scripted', 'recorded']),
  title: z.string(),
  model: z.string(),
  prompt: z.string(),
  steps: z.array(ScriptStep).min(1),
});
export type Script = z.infer<typeof Script>;

/**
 * Answers by a script: the step is told by the tool outputs in the request.
 * @param redactor takes secrets out of what is compared and shown, on both sides
 */
export function scriptedSource(script: Script, redactor = new Redactor()): ReplaySource {
  return {
    model: script.model,
    answer(path, body) {
      if (!path.endsWith('/responses')) return null;
      const found = findStep(script, body, text => redactor.text(text));
      if ('mismatch' in found) return found;
      const events = responseEvents(stringAt(body, 'model') ?? script.model, found.respond, found.step.usage);
      return { contentType: 'text/event-stream', parts: [...events].map(event => ({ atMs: 0, text: toSse(event) })) };
    },
  };
}

type Clean = (text: string) => string;

/** The step before which as many tool outputs were recorded as the request carries. */
function findStep(script: Script, body: unknown, clean: Clean): { step: ScriptStep; respond: unknown[] } | ReplayMiss {
  const turn = turnOf(body);
  if (turn.prompt === null) return { mismatch: 'The request has no prompt.' };
  let outputs = 0;
  for (const [index, step] of script.steps.entries()) {
    outputs += step.expect.length;
    if (outputs !== turn.outputs.length) continue;
    const mismatch = firstMismatch(step, index, turn, clean);
    if (mismatch !== null) return { mismatch };
    const { cwd } = turn;
    if (cwd === null && JSON.stringify(step.respond).includes(cwdMark)) {
      return { mismatch: `Step ${index + 1} needs the working directory, which the request does not tell.` };
    }
    return { step, respond: step.respond.map(item => mapStrings(item, text => text.replaceAll(cwdMark, cwd ?? ''))) };
  }
  return { mismatch: `The request has ${turn.outputs.length} tool outputs; the recording ends after ${outputs}.` };
}

function firstMismatch(step: ScriptStep, index: number, turn: Turn, clean: Clean): string | null {
  const sent = turn.outputs.slice(turn.outputs.length - step.expect.length);
  for (const { callId, output } of step.expect) {
    const got = sent.find(candidate => candidate.callId === callId);
    if (got === undefined) return `Step ${index + 1}: no output of call ${callId}.`;
    const expected = normaliseOutput(clean(output), turn.cwd);
    const actual = normaliseOutput(clean(got.output), turn.cwd);
    if (expected !== actual) return `Step ${index + 1}, call ${callId}: the output ${difference(expected, actual)}`;
  }
  return null;
}

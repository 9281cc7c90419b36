import { z } from 'zod';
import { CoachError } from '../../protocol/errors.ts';
import { Usage } from '../../protocol/usage.ts';
import { arrayAt } from '../traces/json.ts';
import type { TraceStore } from '../traces/store.ts';
import { mapStrings, normaliseOutput, withoutCwd } from './normalise.ts';
import { turnOf } from './turn.ts';

/** The output of one tool call as the agent must send it back, compared after `normaliseOutput`. */
const ExpectedOutput = z.object({ callId: z.string(), output: z.string() });

/** An output item of the Responses API: `reasoning`, `message`, `function_call` or `custom_tool_call`. */
const ResponseItem = z.looseObject({ type: z.string() });

export const RecordingStep = z.object({
  /** Tool outputs that must stand at the end of the request; empty in the first step. */
  expect: z.array(ExpectedOutput),
  /** What the model answers, in order. `<cwd>` in it becomes the agent's working directory. */
  respond: z.array(ResponseItem).min(1),
  usage: Usage,
});
export type RecordingStep = z.infer<typeof RecordingStep>;

/**
 * One turn of an agent with a Responses model, to be answered again without the model.
 * `scripted`: written by hand. `recorded`: derived from the traffic of a real model.
 */
export const Recording = z.object({
  format: z.literal(1),
  source: z.enum(['scripted', 'recorded']),
  title: z.string(),
  model: z.string(),
  prompt: z.string(),
  steps: z.array(RecordingStep).min(1),
});
export type Recording = z.infer<typeof Recording>;

/**
 * The first turn of a recorded session as a recording. Failed and repeated requests are left out.
 * @throws CoachError `session.missing`; `input.invalid` when the session is not of the Responses API or not complete.
 */
export function recordingOfSession(store: TraceStore, sessionId: string): Recording {
  const session = store.requireSession(sessionId);
  const steps = new Map<number, RecordingStep>();
  let prompt: string | null = null;
  let before = 0;
  for (const { exchange, request, response } of store.wholeExchanges(sessionId)) {
    const turn = turnOf(request);
    const output = arrayAt(response, 'output');
    const usable = exchange.dialect === 'responses' && exchange.error === null && output.length > 0;
    if (!usable || turn.prompts !== 1) continue;
    prompt ??= turn.prompt;
    if (!steps.has(turn.outputs.length)) before = [...steps.keys()].at(-1) ?? 0;
    steps.set(turn.outputs.length, {
      expect: turn.outputs
        .slice(before)
        .map(({ callId, output }) => ({ callId, output: normaliseOutput(output, turn.cwd) })),
      respond: z
        .array(ResponseItem)
        .min(1)
        .parse(output.map(item => mapStrings(item, text => withoutCwd(text, turn.cwd)))),
      usage: exchange.usage,
    });
  }
  const { success, data, error } = Recording.safeParse({
    format: 1,
    source: 'recorded',
    title: session.title,
    model: session.models[0] ?? 'unknown',
    prompt,
    steps: [...steps.values()],
  });
  if (success) return data;
  throw new CoachError('input.invalid', `Session ${sessionId} has no complete turn of the Responses API to replay.`, {
    cause: error,
    hint: 'Only sessions of Codex and other Responses clients can be replayed.',
  });
}

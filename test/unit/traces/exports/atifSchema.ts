import { z } from 'zod';

/**
 * ATIF v1.7 as its RFC (Harbor 0001) gives it: no key besides those named, `extra` for the rest. Rules over several
 * fields are in the refinements.
 */
const extra = z.record(z.string(), z.unknown()).optional();
const count = z.int().nonnegative();

const ImagePart = z.strictObject({
  type: z.literal('image'),
  source: z.strictObject({
    media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
    path: z.string(),
  }),
});
const Content = z.union([
  z.string(),
  z.array(z.union([z.strictObject({ type: z.literal('text'), text: z.string() }), ImagePart])),
]);

const ToolCall = z.strictObject({
  tool_call_id: z.string(),
  function_name: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  extra,
});

const Observation = z.strictObject({
  results: z.array(
    z.strictObject({
      source_call_id: z.string().optional(),
      content: Content.nullable().optional(),
      subagent_trajectory_ref: z
        .array(
          z.strictObject({
            trajectory_id: z.string().optional(),
            trajectory_path: z.string().optional(),
            session_id: z.string().optional(),
            extra,
          }),
        )
        .optional(),
      extra,
    }),
  ),
});

const Metrics = z
  .strictObject({
    prompt_tokens: count.optional(),
    completion_tokens: count.optional(),
    cached_tokens: count.optional(),
    cost_usd: z.number().nonnegative().optional(),
    prompt_token_ids: z.array(z.int()).optional(),
    completion_token_ids: z.array(z.int()).optional(),
    logprobs: z.array(z.number()).optional(),
    extra,
  })
  .refine(metrics => (metrics.cached_tokens ?? 0) <= (metrics.prompt_tokens ?? 0), 'cached is part of prompt');

const agentOnly = ['model_name', 'reasoning_effort', 'reasoning_content', 'tool_calls', 'metrics'] as const;

const Step = z
  .strictObject({
    step_id: z.int().min(1),
    timestamp: z.iso.datetime({ offset: true }).optional(),
    source: z.enum(['system', 'user', 'agent']),
    message: Content,
    model_name: z.string().optional(),
    reasoning_effort: z.union([z.string(), z.number()]).optional(),
    reasoning_content: z.string().optional(),
    tool_calls: z.array(ToolCall).optional(),
    observation: Observation.optional(),
    metrics: Metrics.optional(),
    is_copied_context: z.boolean().optional(),
    llm_call_count: count.optional(),
    extra,
  })
  .refine(
    step => step.source === 'agent' || agentOnly.every(field => step[field] === undefined),
    'only an agent step has model, reasoning, calls and metrics',
  )
  .refine(step => {
    const calls = new Set(step.tool_calls?.map(call => call.tool_call_id));
    return (step.observation?.results ?? []).every(({ source_call_id: id }) => id === undefined || calls.has(id));
  }, 'a result is of a call of the same step')
  .refine(
    step => step.llm_call_count !== 0 || (step.metrics === undefined && step.reasoning_content === undefined),
    'without a call of the model there are no metrics',
  );

export const AtifSchema = z.strictObject({
  schema_version: z.literal('ATIF-v1.7'),
  session_id: z.string().optional(),
  trajectory_id: z.string().optional(),
  agent: z.strictObject({
    name: z.string(),
    version: z.string(),
    model_name: z.string().optional(),
    tool_definitions: z.array(z.record(z.string(), z.unknown())).optional(),
    extra,
  }),
  steps: z
    .array(Step)
    .min(1)
    .refine(steps => steps.every((step, index) => step.step_id === index + 1), 'steps count from 1 without a gap'),
  notes: z.string().optional(),
  final_metrics: z
    .strictObject({
      total_prompt_tokens: count.optional(),
      total_completion_tokens: count.optional(),
      total_cached_tokens: count.optional(),
      total_cost_usd: z.number().nonnegative().optional(),
      total_steps: count.optional(),
      extra,
    })
    .optional(),
  continued_trajectory_ref: z.string().optional(),
  subagent_trajectories: z.array(z.unknown()).optional(),
  extra,
});

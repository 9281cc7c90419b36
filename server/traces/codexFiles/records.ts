import * as z from 'zod';

/** Lines of Codex's session files ("rollouts") that we read; of the rest, and of other fields, nothing is needed. */
const Tokens = z.object({
  input_tokens: z.int().nonnegative(),
  cached_input_tokens: z.int().nonnegative().optional(),
  output_tokens: z.int().nonnegative(),
  reasoning_output_tokens: z.int().nonnegative().optional(),
  cache_write_input_tokens: z.int().nonnegative().optional(),
});
export type Tokens = z.infer<typeof Tokens>;

const line = <T extends string, P extends z.ZodType>(type: T, payload: P) =>
  z.object({ timestamp: z.iso.datetime({ offset: true }), type: z.literal(type), payload });

export const CodexLine = z.discriminatedUnion('type', [
  line(
    'session_meta',
    z.object({
      id: z.string(),
      cwd: z.string().optional(),
      originator: z.string().optional(),
      cli_version: z.string().optional(),
      model_provider: z.string().nullish(),
      git: z
        .object({ commit_hash: z.string().regex(/^[0-9a-f]{40}$/) })
        .nullish()
        .catch(null),
      base_instructions: z.object({ text: z.string() }).nullish().catch(null),
    }),
  ),
  /** Of the turn whose `task_started` came before: its model. */
  line('turn_context', z.object({ model: z.string() })),
  line('response_item', z.looseObject({ type: z.string() })),
  /** The usage of one request. Versions before it left only `token_count`. */
  line('token_usage_record', z.object({ thread_id: z.string(), usage: Tokens })),
  line(
    'event_msg',
    z.object({
      type: z.enum(['task_started', 'token_count']),
      info: z.object({ total_token_usage: Tokens, last_token_usage: Tokens }).nullish(),
      rate_limits: z.object({ plan_type: z.string().nullish() }).nullish().catch(null),
    }),
  ),
]);
export type CodexLine = z.infer<typeof CodexLine>;

/** How Codex begins a line; what comes before the type may differ between its versions. */
const lineStart = /^\{(?:"[a-z_]+":(?:"[^"]{0,64}"|\d+),){0,4}"type":"([a-z_]+)","payload":\{(?:"type":"([a-z_]+)")?/;
const wanted: ReadonlySet<string> = new Set(['session_meta', 'turn_context', 'response_item', 'token_usage_record']);
const wantedEvents: ReadonlySet<string> = new Set(['task_started', 'token_count']);

/**
 * True for the start of a line that holds nothing we read: half of a file are events that repeat what tools printed. A
 * line that begins otherwise than Codex begins it has to be parsed to know.
 */
export function isOfNoUse(start: string): boolean {
  const [, type, event] = lineStart.exec(start) ?? [];
  if (type === undefined || wanted.has(type)) return false;
  return type !== 'event_msg' || (event !== undefined && !wantedEvents.has(event));
}

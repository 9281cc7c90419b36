import { randomBytes } from 'node:crypto';
import type { Usage } from '../../../protocol/usage.ts';
import { textOf } from '../../traces/dialects/dialect.ts';
import { arrayAt, isObject, type JsonObject, stringAt } from '../../traces/json.ts';

export type ResponseEvent = JsonObject & { readonly type: string };

/** An event as the Responses API puts it into its stream. */
export function toSse(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/**
 * The events that the Responses API streams for a reply of these items, in its order.
 * @param incomplete why it ends before its end, as the API tells it; null when it does not
 */
export function* responseEvents(
  model: string,
  items: readonly unknown[],
  usage: Usage,
  incomplete: JsonObject | null = null,
): Generator<ResponseEvent> {
  let number = 0;
  const event = (type: string, fields: JsonObject): ResponseEvent => ({ type, ...fields, sequence_number: number++ });
  const id = `resp_${randomBytes(12).toString('hex')}`;
  const created = Math.floor(Date.now() / 1000);
  const response = { id, object: 'response', created_at: created, model, status: 'in_progress', output: [] };
  yield event('response.created', { response });
  yield event('response.in_progress', { response });
  const output = items.filter(isObject).map((item, index) => ({ id: `item_${id.slice(5, 17)}_${index}`, ...item }));
  for (const [index, item] of output.entries()) {
    yield event('response.output_item.added', { output_index: index, item: begun(item) });
    for (const [type, delta] of deltas(item)) {
      yield event(type, { item_id: stringAt(item, 'id'), output_index: index, content_index: 0, delta });
    }
    yield event('response.output_item.done', { output_index: index, item });
  }
  const ended = { ...response, output, usage: toWire(usage) };
  yield incomplete === null
    ? event('response.completed', { response: { ...ended, status: 'completed' } })
    : event('response.incomplete', { response: { ...ended, status: 'incomplete', incomplete_details: incomplete } });
}

function begun(item: JsonObject): JsonObject {
  switch (item['type']) {
    case 'message':
      return { ...item, status: 'in_progress', content: [] };
    case 'reasoning':
      return { ...item, summary: [] };
    case 'function_call':
      return { ...item, status: 'in_progress', arguments: '' };
    case 'custom_tool_call':
      return { ...item, status: 'in_progress', input: '' };
    default:
      return item;
  }
}

function* deltas(item: JsonObject): Generator<[type: string, delta: string]> {
  switch (item['type']) {
    case 'message':
      for (const word of textOf(arrayAt(item, 'content')).match(/\S+\s*/g) ?? [])
        yield ['response.output_text.delta', word];
      break;
    case 'function_call':
      yield ['response.function_call_arguments.delta', stringAt(item, 'arguments') ?? ''];
      break;
    case 'custom_tool_call':
      yield ['response.custom_tool_call_input.delta', stringAt(item, 'input') ?? ''];
      break;
    default:
  }
}

function toWire(usage: Usage): JsonObject | null {
  if (usage.inputTokens === null || usage.outputTokens === null) return null;
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

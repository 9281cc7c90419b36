/**
 * What streams of the known APIs usually consist of, for the compressor to refer to. Stored events can be read with this
 * text only: it must never change.
 */
const item = '"item_id":"","output_index":0,"content_index":0';
const response =
  '{"id":"resp_","object":"response","created_at":1,"status":"in_progress","background":false,"completed_at":null,' +
  '"error":null,"incomplete_details":null,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,' +
  '"model":"gpt-5","output":[],"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":"",' +
  '"reasoning":{"effort":"medium","summary":"auto"},"safety_identifier":null,"service_tier":"auto","store":false,' +
  '"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],' +
  '"top_logprobs":0,"top_p":1.0,"truncation":"disabled","usage":null,"user":null,"metadata":{}}';

const events: readonly string[] = [
  '{"type":"error","code":"server_error","message":"","param":null,"sequence_number":1}',
  `{"type":"response.failed","response":${response}}`,
  `{"type":"response.incomplete","response":${response}}`,
  '{"type":"response.refusal.delta","delta":""}',
  `{"type":"response.custom_tool_call_input.delta","sequence_number":1,${item},"delta":"","obfuscation":""}`,
  `{"type":"response.custom_tool_call_input.done","sequence_number":1,${item},"input":""}`,
  `{"type":"response.function_call_arguments.delta","sequence_number":1,${item},"delta":"","obfuscation":""}`,
  `{"type":"response.function_call_arguments.done","sequence_number":1,${item},"arguments":""}`,
  '{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"fc_","type":"function_call","status":"in_progress","arguments":"","call_id":"call_","name":""}}',
  '{"type":"response.output_item.done","sequence_number":1,"output_index":0,"item":{"id":"fc_","type":"function_call","status":"completed","arguments":"","call_id":"call_","name":""}}',
  '{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"ctc_","type":"custom_tool_call","status":"in_progress","call_id":"call_","input":"","name":"apply_patch"}}',
  '{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_","type":"reasoning","encrypted_content":"","summary":[]}}',
  `{"type":"response.reasoning_summary_part.added","sequence_number":1,${item},"summary_index":0,"part":{"type":"summary_text","text":""}}`,
  `{"type":"response.reasoning_summary_text.delta","sequence_number":1,${item},"summary_index":0,"delta":"","obfuscation":""}`,
  `{"type":"response.reasoning_summary_text.done","sequence_number":1,${item},"summary_index":0,"text":""}`,
  `{"type":"response.reasoning_summary_part.done","sequence_number":1,${item},"summary_index":0,"part":{"type":"summary_text","text":""}}`,
  '{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_","type":"message","status":"in_progress","content":[],"role":"assistant"}}',
  `{"type":"response.content_part.added","sequence_number":1,${item},"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}`,
  `{"type":"response.output_text.delta","sequence_number":1,${item},"delta":"","logprobs":[],"obfuscation":""}`,
  `{"type":"response.output_text.done","sequence_number":1,${item},"text":"","logprobs":[]}`,
  `{"type":"response.content_part.done","sequence_number":1,${item},"part":{"type":"output_text","annotations":[],"logprobs":[],"text":""}}`,
  '{"type":"response.output_item.done","sequence_number":1,"output_index":0,"item":{"id":"msg_","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":""}],"role":"assistant"}}',
  '{"type":"message_start","message":{"model":"claude-","id":"msg_","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,"service_tier":"standard"}}}',
  '{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}',
  '{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":""}}',
  '{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_","name":"","input":{}}}',
  '{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}',
  '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
  '{"type":"ping"}',
  '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}',
  '{"type":"content_block_stop","index":0}',
  '{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":1,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}',
  '{"type":"message_stop"}',
  '{"id":"chatcmpl-","object":"chat.completion.chunk","created":1,"model":"gpt-","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":""}',
  '{"id":"chatcmpl-","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_","type":"function","function":{"name":"","arguments":""}}]},"finish_reason":"tool_calls"}]}',
  '{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":1,"promptTokensDetails":[{"modality":"TEXT","tokenCount":1}],"thoughtsTokenCount":1},"modelVersion":"gemini-","responseId":""}',
  '[DONE]',
  `{"type":"response.completed","sequence_number":1,"response":${response}}`,
  `{"type":"response.created","sequence_number":0,"response":${response}}`,
  `{"type":"response.in_progress","sequence_number":1,"response":${response}}`,
];

export const typicalEvents = Buffer.from(
  events
    .map(event => {
      const type = /^\{"type":"([^"]+)"/.exec(event)?.[1];
      return `${type === undefined ? '' : `event: ${type}\n`}data: ${event}\n\n`;
    })
    .join(''),
);

/**
 * What items usually consist of, for the compressor to refer to: most are short. Stored items can be read with this text
 * only: it must never change.
 */
export const typicalItems = Buffer.from(
  [
    '{"type":"tool_result","tool_use_id":"toolu_","content":[{"type":"text","text":""}],"is_error":false}',
    '{"type":"tool_use","id":"toolu_","name":"","input":{"command":"","description":"","file_path":""}}',
    '{"role":"assistant","content":null,"tool_calls":[{"id":"call_","type":"function","function":{"name":"","arguments":""}}]}',
    '{"role":"tool","tool_call_id":"call_","content":""}',
    '{"role":"user","parts":[{"text":""}]}{"role":"model","parts":[{"functionCall":{"name":"","args":{}}}]}',
    '{"role":"user","content":[{"type":"text","text":"","cache_control":{"type":"ephemeral"}}]}',
    '{"x-codex-installation-id":"","session_id":"","thread_id":"","x-codex-turn-metadata":"{\\"installation_id\\":\\"\\",\\"session_id\\":\\"\\",\\"thread_id\\":\\"\\",\\"turn_id\\":\\"\\",\\"request_kind\\":\\"turn\\",\\"sandbox\\":\\"\\",\\"workspaces\\":{}}"}',
    '{"type":"custom_tool_call_output","call_id":"call_","output":"{\\"output\\":\\"\\",\\"metadata\\":{\\"exit_code\\":0,\\"duration_seconds\\":0.0}}"}',
    '{"id":"ctc_","type":"custom_tool_call","status":"completed","call_id":"call_","input":"*** Begin Patch\\n*** Update File: \\n@@\\n*** End Patch\\n","name":"apply_patch"}',
    '{"type":"message","role":"user","content":[{"type":"input_text","text":""}]}',
    '{"id":"msg_","type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":""}],"role":"assistant"}',
    '{"id":"rs_","type":"reasoning","summary":[{"type":"summary_text","text":""}],"encrypted_content":"gAAAAA"}',
    '{"type":"function_call_output","call_id":"call_","output":"Chunk ID: \\nWall time: 0. seconds\\nProcess exited with code 0\\nOriginal token count: \\nOutput:\\n"}',
    '{"id":"fc_","type":"function_call","status":"completed","arguments":"{\\"cmd\\":\\"sed -n \\",\\"workdir\\":\\"/\\"}","call_id":"call_","name":"exec_command"}',
    '{"before":1,"items":[{"$item":1},{"$item":1},{"$item":1}]}',
  ].join(''),
);

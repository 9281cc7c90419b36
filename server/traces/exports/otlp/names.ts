/**
 * OpenTelemetry's names for what we export, in one place: the GenAI conventions (github.com/open-telemetry/
 * semantic-conventions-genai) are still in development and may rename them.
 */
export const otelNames = {
  serviceName: 'service.name',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  conversation: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  /** Part of the input tokens. */
  cachedInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  /** Part of the output tokens. */
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  instructions: 'gen_ai.system_instructions',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  toolArguments: 'gen_ai.tool.call.arguments',
  toolResult: 'gen_ai.tool.call.result',
  server: 'server.address',
  httpStatus: 'http.response.status_code',
  error: 'error.type',
  /** Ours: the conventions have no name for money and for the first byte of a reply. */
  costUsd: 'codex_coach.cost_usd',
  firstByteMs: 'codex_coach.time_to_first_byte_ms',
} as const;

export type OtelName = keyof typeof otelNames;

/** Values of `gen_ai.provider.name` by the host that was asked; other hosts stand for themselves. */
const providers: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)(openai\.com|chatgpt\.com)$/, 'openai'],
  [/(^|\.)anthropic\.com$/, 'anthropic'],
  [/^generativelanguage\.googleapis\.com$/, 'gcp.gemini'],
  [/aiplatform\.googleapis\.com$/, 'gcp.vertex_ai'],
  [/\.openai\.azure\.com$/, 'azure.ai.openai'],
  [/^bedrock-runtime\..*\.amazonaws\.com$/, 'aws.bedrock'],
  [/(^|\.)deepseek\.com$/, 'deepseek'],
  [/(^|\.)mistral\.ai$/, 'mistral_ai'],
  [/(^|\.)groq\.com$/, 'groq'],
  [/(^|\.)x\.ai$/, 'x_ai'],
];

export function providerOf(host: string): string {
  return providers.find(([pattern]) => pattern.test(host))?.[1] ?? host;
}

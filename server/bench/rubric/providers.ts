import type { Dialect } from '../../../protocol/sessions.ts';
import type { Question } from './question.ts';

/** A model API that judges can be asked through. */
export interface JudgeProvider {
  readonly id: string;
  readonly dialect: Dialect;
  readonly host: string;
  /** Variable of the user's key; only the proxy gets its value. */
  readonly keyName: string;
  /** Below the base URL, which ends with `/v1`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  body(model: string, question: Question): object;
}

/** Room for the thoughts of a model, and one short object. */
const maxOutputTokens = 8192;

const answerSchema = {
  type: 'object',
  properties: {
    criterion: { type: 'string' },
    verdict: { type: 'string', enum: ['met', 'unmet'] },
    evidence: { type: 'string' },
  },
  required: ['criterion', 'verdict', 'evidence'],
  additionalProperties: false,
};

export const judgeProviders: readonly JudgeProvider[] = [
  {
    ...{ id: 'openai', dialect: 'responses', host: 'api.openai.com', keyName: 'OPENAI_API_KEY' },
    ...{ path: 'responses', headers: {} },
    body: (model, { instructions, prompt }) => ({
      ...{ model, instructions, store: false, max_output_tokens: maxOutputTokens },
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] }],
      text: { format: { type: 'json_schema', name: 'verdict', strict: true, schema: answerSchema } },
    }),
  },
  {
    ...{ id: 'anthropic', dialect: 'messages', host: 'api.anthropic.com', keyName: 'ANTHROPIC_API_KEY' },
    ...{ path: 'messages', headers: { 'anthropic-version': '2023-06-01' } },
    body: (model, { instructions, prompt }) => ({
      ...{ model, max_tokens: maxOutputTokens, system: instructions },
      messages: [{ role: 'user', content: prompt }],
    }),
  },
  {
    // Gateways and local servers, reached with the setting proxy.upstreams.
    ...{ id: 'chat', dialect: 'chat', host: 'api.openai.com', keyName: 'OPENAI_API_KEY' },
    ...{ path: 'chat/completions', headers: {} },
    body: (model, { instructions, prompt }) => ({
      model,
      messages: [
        { role: 'system', content: instructions },
        { role: 'user', content: prompt },
      ],
    }),
  },
];

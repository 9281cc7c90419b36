import { CoachError } from '../../protocol/errors.ts';
import type { Agent, AgentEvent, ModelRoute } from './agent.ts';
import { asRecord, parseJson, textOf, toCount } from './json.ts';
import { nativePackage } from './platforms.ts';
import { toolEvent } from './streamJson.ts';

const commands = new Set(['bash']);
const edits = new Set(['write', 'edit']);
const defaultModel = 'openai/gpt-5.5';

/** Providers that it can be led to, by the first part of a model's name, and the path of their API. */
const providers: Readonly<Record<string, ModelRoute & { readonly path: string }>> = {
  openai: { host: 'api.openai.com', keyName: 'OPENAI_API_KEY', path: '/v1' },
  anthropic: { host: 'api.anthropic.com', keyName: 'ANTHROPIC_API_KEY', path: '/v1' },
  google: { host: 'generativelanguage.googleapis.com', keyName: 'GEMINI_API_KEY', path: '/v1beta' },
};

export const opencode: Agent = {
  id: 'opencode',
  title: 'opencode',
  dialect: 'responses',
  apiHosts: Object.values(providers).map(({ host }) => host),
  package: nativePackage({
    name: 'opencode-ai',
    version: '1.18.33',
    prefix: 'opencode',
    // The other one needs a processor with AVX2.
    x64Suffix: '-baseline',
    program: 'bin/opencode',
  }),
  kind: 'program',
  defaultModel,
  keyName: 'OPENAI_API_KEY',
  route: model => providerOf(model),
  launch: ({ program, model, baseUrl, token, instruction }) => {
    const chosen = model ?? defaultModel;
    return {
      argv: [
        ...program,
        // Without a title it asks the model for one.
        ...['run', '--format', 'json', '--pure', '--auto', '--title', 'task', '-m', chosen],
      ],
      env: {
        OPENCODE_CONFIG_CONTENT: JSON.stringify(configuration(chosen, new URL(baseUrl).origin, token)),
        OPENCODE_DISABLE_AUTOUPDATE: '1',
        OPENCODE_DISABLE_MODELS_FETCH: '1',
        // It waits for a package that it would fetch for plugins.
        npm_config_offline: 'true',
      },
      stdin: instruction,
    };
  },
  parseLine: parseOpencodeLine,
};

function configuration(model: string, origin: string, token: string): object {
  const [provider = '', ...rest] = model.split('/');
  const { path } = providerOf(model);
  const own = {
    options: { baseURL: `${origin}${path}`, apiKey: token },
    // Also one that its own list does not have.
    models: { [rest.join('/')]: {} },
  };
  return {
    provider: { [provider]: own },
    enabled_providers: [provider],
    permission: { '*': 'allow', webfetch: 'deny', websearch: 'deny' },
    share: 'disabled',
    autoupdate: false,
  };
}

function providerOf(model: string): ModelRoute & { readonly path: string } {
  const provider = providers[model.split('/')[0] ?? ''];
  if (provider !== undefined && model.includes('/')) return provider;
  throw new CoachError('input.invalid', `opencode has no way to the model ${model}.`, {
    hint: `Write provider/model with one of: ${Object.keys(providers).join(', ')}. Such as: opencode/${defaultModel}`,
  });
}

/** One line of `opencode run --format json` (1.18.33). Tool calls come once they are done, usage after each step. */
function parseOpencodeLine(line: string): readonly AgentEvent[] {
  const event = asRecord(parseJson(line));
  const part = asRecord(event['part']);
  switch (event['type']) {
    case 'text':
    case 'reasoning': {
      const text = textOf(part['text']);
      if (text.trim() === '') return [];
      return [{ kind: event['type'] === 'text' ? 'message' : 'reasoning', text }];
    }
    case 'tool_use':
      return [toolEvent(textOf(part['tool']), asRecord(asRecord(part['state'])['input']), { commands, edits })];
    case 'step_finish':
      return [stepUsage(asRecord(part['tokens']))];
    case 'error':
      return [{ kind: 'error', text: errorText(asRecord(event['error'])) }];
    default:
      return [];
  }
}

/** Its `input` leaves out what was cached, its `output` what was reasoning. */
function stepUsage(tokens: Record<string, unknown>): AgentEvent {
  const cache = asRecord(tokens['cache']);
  const [input, read, written] = [tokens['input'], cache['read'], cache['write']].map(toCount);
  const [output, reasoning] = [tokens['output'], tokens['reasoning']].map(toCount);
  const usage = {
    inputTokens: input == null ? null : input + (read ?? 0) + (written ?? 0),
    cachedInputTokens: read ?? null,
    outputTokens: output == null ? null : output + (reasoning ?? 0),
    reasoningTokens: reasoning ?? null,
  };
  return { kind: 'usage', text: 'Step completed.', usage };
}

function errorText(error: Record<string, unknown>): string {
  const message = textOf(asRecord(error['data'])['message']) || textOf(error['message']);
  return [textOf(error['name']), message].filter(Boolean).join(': ');
}

import { CoachError } from '../../protocol/errors.ts';
import type { Agent } from './agent.ts';

/**
 * Any program of the sandbox, given as an argv template in which `{instruction}` and `{model}` are filled in. The
 * instruction also comes on its standard input. Where there is a model to talk to, the variables that OpenAI's clients read
 * lead to it.
 */
export const command: Agent = {
  id: 'command',
  title: 'Command',
  dialect: null,
  apiHosts: ['api.openai.com'],
  package: null,
  kind: 'program',
  defaultModel: null,
  keyName: 'OPENAI_API_KEY',
  launch: ({ command: template, instruction, model, baseUrl, token }) => {
    const [program, ...args] = (template ?? []).map(part =>
      part.replaceAll('{instruction}', () => instruction).replaceAll('{model}', () => model ?? ''),
    );
    if (program === undefined) {
      throw new CoachError('input.invalid', 'The agent "command" needs a command to run.', {
        hint: 'Give it as an argv template, such as ["sh", "-c", "my-agent {instruction}"].',
      });
    }
    return {
      argv: [program, ...args],
      env: {
        OPENAI_BASE_URL: baseUrl,
        OPENAI_API_KEY: token,
        COACH_INSTRUCTION: instruction,
        COACH_MODEL: model ?? '',
      },
      stdin: instruction,
    };
  },
  parseLine: line => (line.trim() === '' ? [] : [{ kind: 'message', text: line }]),
};

import { randomBytes } from 'node:crypto';
import { turnOf } from '../../server/proxy/replay/turn.ts';

/** Where the conversation stands when the model is asked. */
export interface ModelTurn {
  readonly prompt: string;
  readonly outputs: readonly { readonly callId: string; readonly output: string }[];
  /** What it must answer whatever the script says: nothing, for a request that only warms up. */
  readonly forced?: readonly unknown[] | undefined;
}

export function modelTurn(input: unknown, forced?: readonly unknown[]): ModelTurn {
  const { prompt, outputs } = turnOf({ input });
  return { prompt: prompt ?? '', outputs, forced };
}

const id = (prefix: string) => `${prefix}_${randomBytes(8).toString('hex')}`;

export function say(text: string): object {
  return {
    type: 'message',
    id: id('msg'),
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

export function think(text: string): object {
  return { type: 'reasoning', id: id('rs'), summary: [{ type: 'summary_text', text }], encrypted_content: 'ZmFrZQ==' };
}

export function shell(cmd: string): object {
  const fields = { type: 'function_call', id: id('fc'), call_id: id('call'), status: 'completed' };
  return { ...fields, name: 'exec_command', arguments: JSON.stringify({ cmd }) };
}

export function patch(text: string): object {
  return {
    type: 'custom_tool_call',
    id: id('ctc'),
    call_id: id('call'),
    status: 'completed',
    name: 'apply_patch',
    input: text,
  };
}

/**
 * A model that does what the prompt says, one line per step: `SHELL <command>`, `ADD <file> <line>` (a patch),
 * `SAY <text>` (the end). Stateless: the step is the number of tool outputs since the prompt.
 */
export function scriptedModel({ prompt, outputs, forced }: ModelTurn): readonly unknown[] {
  if (forced !== undefined) return forced;
  const steps = prompt.split('\n').filter(line => /^(SHELL|ADD|SAY) /.test(line));
  const [, verb, rest = ''] = /^(\w+) (.*)$/.exec(steps[outputs.length] ?? 'SAY done') ?? [];
  if (verb === 'SHELL') return [think('Next step.'), shell(rest)];
  if (verb === 'ADD') {
    const [file, ...words] = rest.split(' ');
    return [think('A file.'), patch(`*** Begin Patch\n*** Add File: ${file}\n+${words.join(' ')}\n*** End Patch\n`)];
  }
  return [think('Done.'), say(rest)];
}

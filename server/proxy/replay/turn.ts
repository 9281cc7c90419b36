import { textOf } from '../../traces/dialects/dialect.ts';
import { arrayAt, isObject, stringAt } from '../../traces/json.ts';
import { isPrompt, workingDirectory } from '../../traces/sessions/conversationId.ts';

export interface ToolOutput {
  readonly callId: string;
  readonly output: string;
}

/** Where in a turn a Responses request stands: everything that a stateless replay needs to know. */
export interface Turn {
  readonly prompt: string | null;
  /** Prompts so far: 1 in the first turn. */
  readonly prompts: number;
  /** Tool outputs since the prompt, oldest first. */
  readonly outputs: readonly ToolOutput[];
  readonly cwd: string | null;
}

export function turnOf(request: unknown): Turn {
  let prompt: string | null = null;
  let prompts = 0;
  let outputs: ToolOutput[] = [];
  for (const item of arrayAt(request, 'input')) {
    const type = stringAt(item, 'type') ?? 'message';
    const fields = isObject(item) ? item : {};
    if (type === 'message' && fields['role'] === 'user') {
      const text = textOf(fields['content']);
      if (!isPrompt(text)) continue;
      prompt = text;
      prompts++;
      outputs = [];
    } else if (type.endsWith('_call_output')) {
      outputs.push({ callId: stringAt(item, 'call_id') ?? '', output: outputText(fields['output']) });
    }
  }
  return { prompt, prompts, outputs, cwd: workingDirectory(request) };
}

function outputText(output: unknown): string {
  return typeof output === 'string' || Array.isArray(output) ? textOf(output) : JSON.stringify(output ?? null);
}

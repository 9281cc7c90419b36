import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiKeys } from '../../../client/keys.ts';
import { CoachError } from '../../../protocol/errors.ts';

const editor = vi.hoisted(() => ({
  answers: [] as (string | undefined)[],
  asked: [] as string[],
  context: [] as unknown[],
}));
vi.mock('vscode', () => ({
  l10n: { t: (text: string, ...values: unknown[]) => text.replace('{0}', String(values[0])) },
  window: {
    showInputBox: async ({ title, password }: { title: string; password: boolean }) => {
      expect(password).toBe(true);
      editor.asked.push(title);
      return editor.answers.shift();
    },
  },
  commands: { executeCommand: async (...call: unknown[]) => editor.context.push(call.at(-1)) },
}));

/** As much of the editor's secret storage as is used. */
function aStorage() {
  const kept = new Map<string, string>();
  return {
    kept,
    keys: () => Promise.resolve([...kept.keys()]),
    get: (name: string) => Promise.resolve(kept.get(name)),
    store: (name: string, value: string) => Promise.resolve(void kept.set(name, value)),
    delete: (name: string) => Promise.resolve(void kept.delete(name)),
    onDidChange: () => ({ dispose: () => undefined }),
  };
}

const noKey = () =>
  new CoachError('agent.noKey', 'Codex CLI needs a key of its model API, and OPENAI_API_KEY is not set.');
const needsKey = (calls: object[]) => async (keys: Record<string, string>) => {
  calls.push(keys);
  if (keys['OPENAI_API_KEY'] === undefined) throw noKey();
  return 'started';
};

describe('keys of model APIs', () => {
  beforeEach(() => {
    editor.answers = [];
    editor.asked = [];
  });

  it('are asked for when a run lacks one, kept in the secret storage, and not asked for again', async () => {
    const storage = aStorage();
    const keys = new ApiKeys(storage);
    const calls: object[] = [];
    editor.answers = [' sk-1 '];
    expect(await keys.with(needsKey(calls))).toBe('started');
    expect(calls).toEqual([{}, { OPENAI_API_KEY: 'sk-1' }]);
    expect(await keys.with(needsKey(calls))).toBe('started');
    expect(editor.asked).toEqual(['API Key: OPENAI_API_KEY']);
    expect([...storage.kept.values()]).toEqual(['sk-1']);
    expect(editor.context.at(-1)).toBe(true);
  });

  it('are no fault when the person gives none: that is a cancellation', async () => {
    await expect(new ApiKeys(aStorage()).with(needsKey([]))).rejects.toMatchObject({ code: 'cancelled' });
    expect(editor.asked).toHaveLength(1);
  });

  it('are asked for once each, though the fault comes again', async () => {
    editor.answers = ['a', 'b'];
    const broken = new ApiKeys(aStorage()).with(() => Promise.reject(noKey()));
    await expect(broken).rejects.toMatchObject({ code: 'agent.noKey' });
    expect(editor.asked).toHaveLength(1);
  });

  it('are not asked for on another fault', async () => {
    const other = new CoachError('run.missing', 'OPENAI_API_KEY');
    await expect(new ApiKeys(aStorage()).with(() => Promise.reject(other))).rejects.toBe(other);
    expect(editor.asked).toEqual([]);
  });

  it('are gone when they are forgotten', async () => {
    const storage = aStorage();
    const keys = new ApiKeys(storage);
    editor.answers = ['sk-1', 'sk-2'];
    await keys.ask('OPENAI_API_KEY');
    await keys.ask('ANTHROPIC_API_KEY');
    await keys.forget(['OPENAI_API_KEY']);
    expect(await keys.all()).toEqual({ ANTHROPIC_API_KEY: 'sk-2' });
    await keys.forget(['ANTHROPIC_API_KEY']);
    expect(storage.kept.size).toBe(0);
    expect(editor.context.at(-1)).toBe(false);
  });
});

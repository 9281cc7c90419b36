import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writeProof } from '../../../server/tasks/format.ts';
import { aCreatedTask, aPreparedTask, change, signal } from './aTask.ts';

const wish = 'Add a function subtract(minuend, subtrahend) to src/sums.js.';

describe('editing a created task', () => {
  it('shows and replaces its instruction', async () => {
    const { root, handlers, task } = await aCreatedTask();
    const edit = (content?: string) =>
      handlers.edit({ repository: root, task: task.id, part: 'instruction', content }, signal);
    expect(await edit()).toMatchObject({ changed: false, content: 'Add a function that subtracts, with tests.\n' });
    expect(await edit(`${wish}\n`)).toMatchObject({ changed: true, content: `${wish}\n`, notes: [], lostProof: false });
    expect(await edit(`${wish}\n`)).toMatchObject({ changed: false });
    expect((await handlers.show({ repository: root, task: task.id }, signal)).instruction).toBe(wish);
  });

  it('refuses settings that break the format with line and reason, and keeps the old ones', async () => {
    const { root, handlers, task } = await aCreatedTask();
    const edit = (content?: string) =>
      handlers.edit({ repository: root, task: task.id, part: 'settings', content }, signal);
    const { content, file } = await edit();
    await expect(edit(content.replace('"tags": [', '"tags": [,'))).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringMatching(/tb_meta\.json stays as it was: .*line 5/),
    });
    await expect(edit(content.replace('"title": "Subtract"', '"title": ""'))).rejects.toMatchObject({
      message: expect.stringMatching(/metadata\.title.*\(line 4\)/),
    });
    await expect(edit(content.replace(task.id, 'other'))).rejects.toMatchObject({
      message: expect.stringContaining('task_id'),
    });
    expect(readFileSync(file, 'utf8')).toBe(content);
    await edit(content.replace('"title": "Subtract"', '"title": "Minus"'));
    expect((await handlers.list({ repository: root }, signal)).rows[0]?.title).toBe('Minus');
  });
});

describe('editing a prepared task', () => {
  const proof = {
    ...{ reference: 1, noOp: 0, provenAt: '2025-06-01T10:00:00.000Z', executor: 'local' },
    ...{ checks: [], quarantined: [], base: null, basis: 'tests' as const },
  };

  it('takes the proof away with a real change, and only then', async () => {
    const { root, handlers, prepared } = await aPreparedTask();
    await writeProof(prepared.directory, proof, {
      failToPass: ['a'],
      passToPass: [],
      mustFail: [],
      exitsCleanly: true,
    });
    const edit = (content?: string) =>
      handlers.edit({ repository: root, task: prepared.id, part: 'instruction', content }, signal);
    const { content, task } = await edit();
    expect(task.state).toBe('proven');
    expect(await edit(content)).toMatchObject({ changed: false, lostProof: false, task: { state: 'proven' } });
    expect(await edit(wish)).toMatchObject({
      changed: true,
      lostProof: true,
      task: { state: 'prepared', proof: null },
    });
  });

  it('refuses an empty instruction, and says what leaks or is too short', async () => {
    const { root, handlers, prepared, at } = await aPreparedTask();
    const edit = (content: string) =>
      handlers.edit({ repository: root, task: prepared.id, part: 'instruction', content }, signal);
    const before = readFileSync(at('instruction.md'), 'utf8');
    await expect(edit(' \n')).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining('empty'),
    });
    expect(readFileSync(at('instruction.md'), 'utf8')).toBe(before);
    const line = change['src/sums.js'].split('\n')[1] ?? '';
    expect((await edit(`Write this line: ${line}`)).notes).toEqual([expect.stringContaining(line)]);
    expect((await edit('Fix it')).notes).toEqual([expect.stringContaining('very short')]);
  });

  it('refuses settings that break task.toml, or say that it came from elsewhere, with the line', async () => {
    const { root, handlers, prepared, at } = await aPreparedTask();
    const before = readFileSync(at('task.toml'), 'utf8');
    const edit = (content: string) =>
      handlers.edit({ repository: root, task: prepared.id, part: 'settings', content }, signal);
    const lineOf = (start: string) => before.split('\n').findIndex(text => text.startsWith(start)) + 1;
    await expect(edit(before.replace('schema_version = ', 'schema_version = = '))).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringContaining(`line ${lineOf('schema_version')}`),
    });
    await expect(edit(before.replace('"/app"', '"app"'))).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`workdir.*\\(line ${lineOf('workdir')}\\)`)),
    });
    await expect(edit(before.replace(/task_id = ".*"/, 'task_id = "x"'))).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`task_id.*\\(line ${lineOf('task_id')}\\)`)),
    });
    expect(readFileSync(at('task.toml'), 'utf8')).toBe(before);
    await edit(before.replace('timeout_sec = 1800', 'timeout_sec = 900'));
    expect(readFileSync(at('task.toml'), 'utf8')).toContain('timeout_sec = 900');
  });
});

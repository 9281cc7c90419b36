import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { tasksToRun } from '../../../../protocol/suites.ts';
import { newSuite, withTasks } from '../../../../server/tasks/suites/suiteFile.ts';
import {
  addToSuite,
  createSuite,
  deleteSuite,
  listSuites,
  removeFromSuite,
} from '../../../../server/tasks/suites/suites.ts';
import { writePreparedTask, writeRepository } from '../../../integration/benchFixture.ts';
import { temporaryDirectory } from '../../../temporary.ts';

function aRepository(): { root: string; place: string; write(name: string, text: string): void } {
  const root = join(temporaryDirectory(), 'numbers');
  writeRepository(root);
  writePreparedTask(root, 'mode');
  const place = join(root, '.coach', 'suites');
  const write = (name: string, text: string) => {
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `${name}.toml`), text);
  };
  return { root, place, write };
}

const spec = { title: 'Small numbers', name: undefined, description: '', tasks: [] };

describe('suites of a repository', () => {
  it('are files that are made, filled, emptied and deleted', async () => {
    const { root, place } = aRepository();
    const made = await createSuite(root, { ...spec, description: 'Fast ones.', tasks: ['median', 'median'] });
    expect(made).toMatchObject({
      ...{ name: 'small-numbers', title: 'Small numbers', description: 'Fast ones.', tasks: ['median'] },
      ...{ missing: [], problem: null, file: join(place, 'small-numbers.toml') },
    });
    expect((await addToSuite(root, 'small-numbers', ['mode', 'median'])).tasks).toEqual(['median', 'mode']);
    expect(parse(readFileSync(made.file, 'utf8'))).toMatchObject({ tasks: ['median', 'mode'] });
    expect((await removeFromSuite(root, 'small-numbers', ['median'])).tasks).toEqual(['mode']);
    await deleteSuite(root, 'small-numbers');
    expect([await listSuites(root), readdirSync(place)]).toEqual([[], []]);
  });

  it('say which of their tasks are gone, and are then not run in part', async () => {
    const { root } = aRepository();
    const made = await createSuite(root, { ...spec, tasks: ['median', 'mode'] });
    expect(tasksToRun(made)).toEqual(['median', 'mode']);
    rmSync(join(root, '.coach', 'tasks', 'prepared', 'mode'), { recursive: true });
    const [suite = made] = await listSuites(root);
    expect(suite).toMatchObject({ tasks: ['median', 'mode'], missing: ['mode'] });
    expect(() => tasksToRun(suite)).toThrow('The suite small-numbers names tasks that are not prepared: mode.');
    const mended = await removeFromSuite(root, 'small-numbers', ['mode']);
    expect(tasksToRun(mended)).toEqual(['median']);
    expect(() => tasksToRun({ ...mended, tasks: [] })).toThrow('has no task yet');
  });

  it('are listed with their problem when they are broken, and are then not changed', async () => {
    const { root, write } = aRepository();
    write('typed', 'title = 1\n');
    write('torn', 'title = \n');
    const rows = await listSuites(root);
    expect(rows.map(({ name, problem }) => [name, problem?.replace(root, '')])).toEqual([
      ['torn', expect.stringContaining('it is not TOML')],
      ['typed', expect.stringMatching(/^\/\.coach\/suites\/typed\.toml can't be used: title: /)],
    ]);
    await expect(addToSuite(root, 'typed', ['median'])).rejects.toMatchObject({ code: 'task.invalid' });
    expect(readFileSync(join(root, '.coach', 'suites', 'typed.toml'), 'utf8')).toBe('title = 1\n');
  });

  it('refuse what can’t be in them', async () => {
    const { root, place } = aRepository();
    mkdirSync(join(root, '.coach', 'tasks', 'created', 'raw'), { recursive: true });
    await createSuite(root, spec);
    const refused = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    expect(await refused(createSuite(root, spec))).toBe('input.invalid');
    expect(await refused(createSuite(root, { ...spec, name: '../up' }))).toBe('input.invalid');
    expect(await refused(addToSuite(root, 'small-numbers', ['gone']))).toBe('task.missing');
    expect(await refused(addToSuite(root, 'small-numbers', ['raw']))).toBe('task.invalid');
    expect(await refused(removeFromSuite(root, 'small-numbers', ['median']))).toBe('task.missing');
    expect(await refused(addToSuite(root, 'other', ['median']))).toBe('suite.missing');
    rmSync(place, { recursive: true });
    symlinkSync(temporaryDirectory(), place);
    expect(await refused(createSuite(root, spec))).toBe('task.invalid');
  });
});

describe('the file of a suite', () => {
  const edited = (text: string, tasks: string[]) => withTasks('smoke.toml', text, tasks);

  it('keeps every byte outside of the list, with keys of others', () => {
    const before =
      '# Mine\ntitle = "S"\r\nowner = "me" # ours\ntasks = ["a", \'b]\', # ]\n]\n[limits]\ntasks = ["x"]\n';
    const list = 'tasks = [\n  "a",\n  "c",\n]';
    expect(edited(before, ['a', 'c'])).toBe(before.replace('tasks = ["a", \'b]\', # ]\n]', list));
  });

  it('finds the list, not what looks like it', () => {
    const before = 'description = """\ntasks = ["no"]\n"""\ntasks = ["a"]\n[tasksOf]\ntasks = ["no"]\n';
    expect(parse(edited(before, []))).toEqual({ ...parse(before), tasks: [] });
    expect(edited(before, [])).toContain('tasks = ["no"]\n"""');
  });

  it('adds the list where there is none, and writes anew what it can’t change in place', () => {
    expect(edited('title = "S"\n[x]\ny = 1\n', ['a'])).toBe('tasks = [\n  "a",\n]\ntitle = "S"\n[x]\ny = 1\n');
    expect(parse(edited('title = "S"\n"tasks" = ["a"]\n', ['b']))).toEqual({ title: 'S', tasks: ['b'] });
  });

  it('is made with what is said, and nothing that was left out', () => {
    expect(newSuite({ title: 'S "1"', description: '', tasks: [] })).toBe(
      '# Tasks that are run together: codex-coach run --suite <name of this file>\ntitle = "S \\"1\\""\ntasks = []\n',
    );
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DiagnosticSeverity } from 'vscode-languageserver';
import { applied, aServer, aTask, at, goodToml } from './client.ts';

/** A server with one `task.toml` open, as it is while somebody works on it. */
async function opened(text: string, files: Readonly<Record<string, string>> = {}) {
  const client = await aServer();
  const directory = aTask('prepared', files);
  const document = await client.open(join(directory, 'task.toml'), text);
  const diagnostics = await client.diagnostics(document);
  const shown = diagnostics.map(({ range, message }) => [document.getText(range), message] as const);
  const fixes = async (code: string) => {
    const diagnostic = diagnostics.find(each => each.code === code);
    if (diagnostic === undefined) throw new Error(`No ${code} in ${JSON.stringify(diagnostics)}`);
    return client.actions(document, diagnostic);
  };
  return { client, directory, document, diagnostics, shown, fixes };
}

describe('problems', () => {
  it('says nothing about a good file', async () => {
    expect((await opened(goodToml)).diagnostics).toEqual([]);
  });

  it('names the value that is wrong, and what it must be', async () => {
    const { shown } = await opened(
      goodToml
        .replace('"junit"', '"junti"')
        .replace('timeout_sec = 60', 'timeout_sec = "60"')
        .replace('"/app"', '"app"'),
    );
    expect(shown).toEqual([
      ['"app"', '`workdir` must begin with /.'],
      ['"junti"', expect.stringMatching(/^`result_format` must be "junit", "pytest".* Did you mean "junit"\?$/)],
      ['"60"', '`timeout_sec` must be a number, without quotes.'],
    ]);
  });

  it('counts columns in UTF-16 code units, as editors do', async () => {
    const { diagnostics } = await opened(
      goodToml.replace('title = "Median 😀"', 'title = "😀" # 😀\n"kind" = "😀cod"'),
    );
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]?.range).toEqual({ start: { line: 9, character: 9 }, end: { line: 9, character: 16 } });
  });

  it('says on the header which field of a section is missing', async () => {
    const { shown } = await opened(goodToml.replace('workdir = "/app"\n', ''));
    expect(shown).toEqual([
      ['codex_coach', expect.stringMatching(/^`workdir` is missing: add it\. Where the repository/)],
    ]);
  });

  it('asks for what the way of judging needs', async () => {
    const { shown } = await opened(
      goodToml
        .replace('format = 1', 'format = 1\nverifier = "mutation"')
        .replace(/(test_command|result_\w+) = .*\n/g, ''),
    );
    expect(shown).toEqual([['codex_coach', expect.stringContaining('`mutate` is missing')]]);
  });

  it('finds mistyped keys, and leaves those of other programs alone', async () => {
    const { shown } = await opened(
      goodToml.replace('cpus = 1', 'cpsu = 1\nregion = "eu"').replace('start_commit', 'kidn = "code"\nstart_commit'),
    );
    expect(shown).toEqual([
      ['kidn', '`kidn` is no key of this section. Did you mean `kind`?'],
      ['cpsu', '`cpsu` is no key of this section. Did you mean `cpus`?'],
    ]);
  });

  it('warns only of what Harbor would refuse and we do not read', async () => {
    const { diagnostics } = await opened(goodToml.replace('memory_mb = 2048', 'memory_mb = "2048"'));
    expect(diagnostics).toMatchObject([{ severity: DiagnosticSeverity.Warning, code: 'value' }]);
  });

  it('goes on behind half-written statements', async () => {
    const { shown } = await opened(goodToml.replace('workdir = "/app"', 'workdir = ').replace('cpus = 1', 'cpus = -1'));
    expect(shown).toEqual([
      ['', expect.stringContaining('A value is missing here')],
      ['-1', '`cpus` must be above 0.'],
    ]);
  });

  it.each([
    ['nothing', '', 'is missing'],
    ['an open header', '[', 'A key stands here'],
    ['an open header of a list', '[[', 'A key stands here'],
    ['an open text', 'a = "', 'not closed'],
    ['an open long text', 'a = """\n', 'not closed'],
    ['an open list after a mark of byte order', '\ufeffa = [1,', 'close with ]'],
    ['many brackets', '[['.repeat(100_000), 'A key stands here'],
    ['lists in lists', `a = ${'['.repeat(500_000)}`, 'nested too deeply'],
    ['tables in tables', `a = ${'{a='.repeat(200_000)}`, 'nested too deeply'],
    ['a key that is given twice', 'a = 1\na = 2', 'already defined'],
    ['control characters', '\0\x1b[31m\u202e', 'A key stands here'],
  ])('answers about %s', async (_, text, expected) => {
    const { diagnostics } = await opened(text);
    expect(diagnostics.map(({ message }) => message).join('\n')).toContain(expected);
  });

  it('leaves a file of 5 MB alone, and says so', async () => {
    const { client, document, diagnostics } = await opened('[[criterion]]\nid = "one"\n'.repeat(200_000));
    expect(diagnostics).toMatchObject([{ code: 'tooLarge', message: expect.stringContaining('5.0 million') }]);
    expect(await client.complete(document, { line: 0, character: 0 })).toEqual([]);
    expect(await client.hover(document, { line: 1, character: 1 })).toBeNull();
  });

  it('follows what is typed', async () => {
    const { client, document } = await opened(goodToml);
    const start = document.getText().indexOf('"/app"');
    const changed = await client.change(document, start, start + 6, '1');
    expect(await client.diagnostics(changed)).toMatchObject([{ message: '`workdir` must be a text in quotes.' }]);
  });
});

describe('quick fixes', () => {
  it('adds a missing field behind the section it belongs to', async () => {
    const { document, fixes } = await opened(goodToml.replace('result_format = "junit"\n', ''));
    const text = applied(document, (await fixes('missing'))[0]);
    expect(text).toContain('result_file = "/logs/verifier/junit.xml"\nresult_format = "junit"\n\n[agent]');
  });

  it('keeps the line ends of the file', async () => {
    const { document, fixes } = await opened(goodToml.replace('task_id = "median-1"\n', '').replaceAll('\n', '\r\n'));
    const text = applied(document, (await fixes('missing'))[0]);
    expect(text).toContain('junit.xml"\r\ntask_id = ""\r\n\r\n[agent]');
    expect(text.replaceAll('\r\n', '')).not.toContain('\n');
  });

  it('adds a section with what must stand in it', async () => {
    const { document, fixes } = await opened(goodToml.replace(/\[metadata[\s\S]*(?=\[agent)/, ''));
    const text = applied(document, (await fixes('missing'))[0]);
    expect(text).toMatch(/\n\[metadata\.codex_coach\]\nformat = 1\ntitle = ""/);
  });

  it('replaces deprecated keys with their values in the new unit', async () => {
    const { document, diagnostics, fixes } = await opened(goodToml.replace('memory_mb = 2048', 'memory = "2G"'));
    expect(diagnostics).toMatchObject([{ severity: DiagnosticSeverity.Hint, tags: [2] }]);
    expect(applied(document, (await fixes('deprecated'))[0])).toContain('\nmemory_mb = 2048\n');
  });

  it('offers the nearest agent for an unknown one, and keeps its model', async () => {
    const { document, shown, fixes } = await opened(goodToml.replace('workdir', 'agents = ["codx/gpt-5.5"]\nworkdir'));
    expect(shown).toEqual([['"codx/gpt-5.5"', 'There is no agent codx. Did you mean codex?']]);
    expect(applied(document, (await fixes('unknownAgent'))[0])).toContain('agents = ["codex/gpt-5.5"]');
  });

  it('takes quotes from numbers, and offers the value that was meant', async () => {
    const { client, document, diagnostics } = await opened(
      goodToml.replace('= 60', '= "60"').replace('"junit"', '"junti"'),
    );
    const [format, timeout] = await Promise.all(diagnostics.map(each => client.actions(document, each)));
    expect(applied(document, timeout?.[0])).toContain('timeout_sec = 60\n');
    expect(format?.[0]).toMatchObject({ isPreferred: true, title: 'Change to "junit"' });
  });

  it('offers nothing where other kinds of actions are asked for', async () => {
    const { client, document, diagnostics } = await opened(goodToml.replace('"junit"', '"junti"'));
    const [diagnostic] = diagnostics;
    if (diagnostic === undefined) throw new Error('No diagnostic.');
    expect(await client.actions(document, diagnostic, ['refactor'])).toEqual([]);
  });
});

describe('completion', () => {
  async function labels(text: string, marked: string) {
    const { client, document } = await opened(text);
    const items = await client.complete(document, at(document, marked));
    return { document, items, labels: items.map(({ label }) => label) };
  }

  it('offers the keys of the section that are not there yet', async () => {
    const { labels: keys } = await labels(goodToml.replace('[agent]', 'k\n[agent]'), 'k|\n[agent]');
    expect(keys).toEqual(['kind', 'session_id', 'agents', 'verifier']);
  });

  it('offers keys at an empty line, also behind a statement that is half written', async () => {
    const { labels: keys } = await labels(
      goodToml.replace('timeout_sec = 60\n', 'timeout_sec = \n\n'),
      '= \n|\n\n[env',
    );
    expect(keys.slice(0, 2)).toEqual(['timeout_sec', 'network_mode']);
  });

  it('offers the values of a key, with what is written so far replaced', async () => {
    const { document, items } = await labels(goodToml.replace('"junit"', '"ju"'), 'result_format = "j|u"');
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(['junit', 'pytest', 'cargo']));
    const edit = items[0]?.textEdit;
    expect(edit && 'range' in edit && document.getText(edit.range)).toBe('"ju"');
  });

  it.each([
    ['verifier = ', ['tests', 'mutation', 'rubric', 'script']],
    ['kind = "', ['code', 'documentation', 'test-writing']],
    ['agents = ["', ['codex', 'claude', 'gemini', 'opencode', 'qwen', 'command', 'predictions', 'oracle', 'nop']],
  ])('knows the values of %s', async (line, expected) => {
    const { labels: values } = await labels(
      goodToml.replace('workdir = "/app"', `${line}\nworkdir = "/app"`),
      `${line}|`,
    );
    expect(values).toEqual(expected);
  });

  it('offers the sections that are not there yet', async () => {
    const { labels: tables } = await labels(`${goodToml}[`, '2048\n[|');
    expect(tables).toContain('solution');
    expect(tables).not.toContain('agent');
  });

  it('offers nothing in a comment', async () => {
    expect((await labels(`${goodToml}# k`, '# k|')).labels).toEqual([]);
  });
});

describe('hover, lenses and links', () => {
  it('tells meaning, unit, default and range of a key', async () => {
    const { client, document } = await opened(goodToml);
    const hover = await client.hover(document, at(document, 'timeout|_sec = 60'));
    expect(hover?.contents).toMatchObject({
      kind: 'markdown',
      value: '**timeout_sec**: a number, above 0\n\nSeconds that the verifier may take.\n\nDefault: `600`',
    });
    expect(hover?.range && document.getText(hover.range)).toBe('timeout_sec');
    const memory = await client.hover(document, at(document, 'memory|_mb'));
    expect(memory?.contents).toMatchObject({ value: expect.stringContaining('in MB') });
    expect(await client.hover(document, { line: 1, character: 0 })).toBeNull();
  });

  it('leads to instruction, tests and solution, as far as they are there', async () => {
    const files = {
      'instruction.md': 'Do.',
      'tests/test.sh': '',
      'solution/solution.patch': '',
      'tests/files/test/median.test.js': '',
    };
    const { client, document, directory } = await opened(
      goodToml.replace('"src/median.js"', '"../../../secret"'),
      files,
    );
    const links = await client.links(document);
    const places = links.map(({ range, target }) => [
      document.getText(range),
      decodeURI(target ?? '').split(directory)[1],
    ]);
    expect(places).toEqual([
      ['"local/median"', '/instruction.md'],
      ['"Median 😀"', '/instruction.md'],
      ['"node --test"', '/tests/test.sh'],
      ['"0"', '/solution/solution.patch'],
      ['"test/median.test.js"', '/tests/files/test/median.test.js'],
    ]);
  });

  it('offers to validate a task that is whole or broken, and to run one that is whole', async () => {
    const { client, document, directory } = await opened(goodToml, { 'task.toml': goodToml });
    const lenses = await client.lenses(document);
    expect(lenses.map(({ command }) => command?.title)).toEqual(['Validate']);
    expect(lenses[0]?.command).toMatchObject({
      command: 'codexCoach.validateTask',
      arguments: [{ kind: 'task', task: { id: 'median', directory } }],
    });
    expect(lenses[0]?.range.start.line).toBe(0);
  });
});

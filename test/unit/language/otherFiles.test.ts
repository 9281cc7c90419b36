import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TrialSummary } from '../../../protocol/runs.ts';
import type { TrialHistory } from '../../../server/language/history.ts';
import { applied, aServer, aTask, at } from './client.ts';

async function opened(
  state: 'created' | 'prepared',
  path: string,
  text: string,
  { history, files }: { history?: TrialHistory; files?: Readonly<Record<string, string>> } = {},
) {
  const client = await aServer(history);
  const directory = aTask(state, files);
  const document = await client.open(join(directory, path), text);
  const diagnostics = await client.diagnostics(document);
  const shown = diagnostics.map(({ range, message }) => [document.getText(range), message] as const);
  return { client, directory, document, diagnostics, shown };
}

describe('rubric.toml', () => {
  const rubric = `format = 1
[weights]
tests = 0.5
rubric = 0.5

[[criterion]]
id = "empty-list"
text = "The median of an empty list is null."
`;
  const open = (text: string) => opened('prepared', 'rubric.toml', text);

  it('says nothing about a good one', async () => {
    expect((await open(rubric)).diagnostics).toEqual([]);
  });

  it('finds what loading it would refuse, where it stands', async () => {
    const { shown } = await open(`${rubric}[[criterion]]\nid = "empty-list"\ntext = ""\nweigth = 0\n`);
    expect(shown).toEqual([
      ['""', '`text` must not be empty.'],
      ['"empty-list"', '`id` can’t stay so: two criteria have the id empty-list.'],
      ['weigth', '`weigth` is no key of this section. Did you mean `weight`?'],
    ]);
    expect((await open(rubric.split('[[')[0] ?? '')).shown).toEqual([
      ['0.5', '`rubric` can’t stay so: the rubric has a weight and no criterion.'],
    ]);
  });

  it('offers criteria, and their keys in the one where the caret is', async () => {
    const { client, document } = await open(`${rubric}\n[[criterion]]\n\n[[`);
    const keys = await client.complete(document, at(document, '[[criterion]]\n|\n[['));
    expect(keys.map(({ label }) => label)).toEqual(['id', 'text', 'weight']);
    const tables = await client.complete(document, document.positionAt(document.getText().length));
    expect(tables.map(({ textEdit }) => textEdit?.newText)).toEqual(['criterion]]']);
  });

  it('adds the text that a criterion lacks to that criterion', async () => {
    const { client, document, diagnostics } = await open(`${rubric}\n[[criterion]]\nid = "second"\n`);
    const [missing] = diagnostics;
    if (missing === undefined) throw new Error('Nothing is missing.');
    expect(document.getText(missing.range)).toBe('[[criterion]]');
    expect(applied(document, (await client.actions(document, missing))[0])).toContain('id = "second"\ntext = ""\n');
  });
});

describe('tb_meta.json', () => {
  const meta = {
    task_id: 'median',
    metadata: { title: 'Median 😀', tags: [], notes: '', summary: '', created_at: '2026-11-21T00:00:00Z' },
    repo: { git_url: null, branch: null, start_commit_sha: 'a', end_commit_sha: 'b', subdir: '', sparse_checkout: [] },
    lm: { instructions: 'Do it.' },
    evaluation: { rubrics: [], start_bundle: 'evaluation/start.bundle' },
  };
  const text = JSON.stringify(meta, null, 2);
  const open = (changed: string, files = {}) => opened('created', 'tb_meta.json', changed, { files });

  it('says nothing about a good one', async () => {
    expect((await open(text)).diagnostics).toEqual([]);
  });

  it('finds wrong and missing values, and adds what is missing', async () => {
    const broken = text.replace('"subdir": ""', '"subdir": 1').replace('    "notes": "",\n', '');
    const { client, document, diagnostics, shown } = await open(broken);
    expect(shown).toEqual([
      ['"metadata"', expect.stringContaining('`notes` is missing: add it.')],
      ['1', '`subdir` must be a text in quotes.'],
    ]);
    const [missing] = diagnostics;
    if (missing === undefined) throw new Error('Nothing is missing.');
    const [fix] = await client.actions(document, missing);
    expect(JSON.parse(applied(document, fix)).metadata).toMatchObject({ notes: '', title: 'Median 😀' });
  });

  it.each([
    ['an open object', '{', 'Close this object with }.'],
    ['nothing', '', 'A value is missing here'],
    ['a comma too many', '{"task_id": "a",}', 'no comma after the last one'],
    ['a missing colon', '{"task_id" "a"}', 'Write : and a value'],
    ['a comment', '// no', 'JSON has no comments'],
    ['a list', '[]', 'must be an object'],
    ['a control character', '{"a": "\t"}', 'not JSON'],
    ['a mark of byte order', '\ufeff{}', 'not JSON'],
    ['lists in lists', '['.repeat(300_000), 'nested too deeply'],
  ])('answers about %s', async (_, changed, expected) => {
    const { diagnostics } = await open(changed);
    expect(diagnostics.map(({ message }) => message).join('\n')).toContain(expected);
  });

  it('completes keys and values, and explains them', async () => {
    const edited = text.replace('"start_bundle"', '"kind": "",\n    "start_bundle"');
    const { client, document } = await open(edited);
    const kinds = await client.complete(document, at(document, '"kind": "|"'));
    expect(kinds.map(({ label, filterText }) => [label, filterText])).toEqual([
      ['code', '"code"'],
      ['documentation', '"documentation"'],
      ['test-writing', '"test-writing"'],
    ]);
    const hover = await client.hover(document, at(document, '"ki|nd"'));
    expect(hover?.contents).toMatchObject({ value: expect.stringContaining('What it was captured as') });
    const half = await open(text.replace('"lm": {', '"lm": {"",'));
    const keys = await half.client.complete(half.document, at(half.document, '{"|",'));
    expect(keys.map(({ label }) => label)).toEqual([]);
  });

  it('offers to prepare it, and links to the change', async () => {
    const files = { 'tb_meta.json': text, 'diff.patch': '', 'trace/session_id.txt': '', 'evaluation/start.bundle': '' };
    const { client, document } = await open(text, files);
    expect((await client.lenses(document)).map(({ command }) => command?.title)).toEqual(['Prepare']);
    expect((await client.links(document)).map(({ target }) => target?.split('/').at(-1))).toEqual(['diff.patch']);
  });
});

describe('tests/expected.json', () => {
  const expected = (ids: readonly string[]) =>
    JSON.stringify({ format: 1, fail_to_pass: ids, pass_to_pass: [], proof: null, proven_digest: null }, null, 2);
  const report = (names: readonly string[]) => JSON.stringify({ results: { tests: names.map(name => ({ name })) } });
  const open = (ids: readonly string[], history?: TrialHistory) =>
    opened('prepared', 'tests/expected.json', expected(ids), history === undefined ? {} : { history });

  /** Trials of the task that left a report of these tests. */
  function aHistory(...trials: readonly string[][]): TrialHistory {
    const ended = trials.map(names => {
      const directory = aTask('prepared', { 'verifier/ctrf.json': report(names) });
      return { directory, task: 'median', agentLabel: 'codex', attempt: 1, finishedAt: '2026-11-20T10:00:00Z' };
    });
    const others = [{ ...ended[0], task: 'other' }];
    return { endedTrials: () => [...others, ...ended] as unknown as TrialSummary[], run: () => null };
  }

  it('says nothing of ids while no agent has worked on the task', async () => {
    expect((await open(['test/a.test.js > adds'])).diagnostics).toEqual([]);
  });

  it('warns of ids that did not run in the last run, and offers the nearest that did', async () => {
    const history = aHistory(['test/a.test.js > adds'], ['test/b.test.js > loads', 'test/a.test.js > adds']);
    const { client, document, diagnostics, shown } = await open(
      ['test/a.test.js > ads', 'test/b.test.js > loads', 'nothing like it'],
      history,
    );
    expect(shown).toEqual([
      [
        '"test/a.test.js > ads"',
        'No test of this id ran in the last run (codex #1, 2026-11-20). Did you mean "test/a.test.js > adds"?',
      ],
      ['"nothing like it"', expect.stringContaining('Correct the id, or validate the task again.')],
    ]);
    const [wrong] = diagnostics;
    if (wrong === undefined) throw new Error('No diagnostic.');
    expect(applied(document, (await client.actions(document, wrong))[0])).toContain('"test/a.test.js > adds"');
  });

  it('completes ids that ran', async () => {
    const { client, document } = await open([''], aHistory(['test/a.test.js > adds']));
    const items = await client.complete(document, at(document, '[\n    "|"'));
    expect(items.map(({ textEdit }) => textEdit?.newText)).toEqual(['"test/a.test.js > adds"']);
  });
});

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { toPlaces } from '../../../../client/review/edits.ts';
import type { MergedFile, ReviewFile } from '../../../../protocol/reviews.ts';
import { changesBetween } from '../../../../server/bench/reviews/changes.ts';
import { acceptHunks } from '../../../../server/bench/reviews/lines.ts';
import { mergeChange } from '../../../../server/bench/reviews/mergeChange.ts';
import { type GitStore, openStore } from '../../../../server/git/store.ts';
import { treeOf, writeBlob } from '../../../../server/git/tree.ts';
import { temporaryDirectory } from '../../../temporary.ts';

type Content = string | Buffer | { readonly mode: string; readonly text: string };
type Tree = Readonly<Record<string, Content>>;

let store: GitStore;
let root: string;
beforeEach(async () => {
  store = await openStore(join(temporaryDirectory(), 'store'));
  root = join(temporaryDirectory(), 'tree');
  mkdirSync(root);
});

async function tree(files: Tree): Promise<string> {
  const entries = Object.entries(files).map(async ([path, content]) => {
    const plain = typeof content === 'string' || Buffer.isBuffer(content);
    const bytes = Buffer.from(plain ? content : content.text);
    return { path, mode: plain ? '100644' : content.mode, blob: await writeBlob(store, bytes) };
  });
  return treeOf(store, await Promise.all(entries));
}

async function changes(start: Tree, end: Tree): Promise<ReviewFile[]> {
  return changesBetween(store, await tree(start), await tree(end));
}

/** Accepts the whole change of the only file, or some of its hunks. */
async function merge(start: Tree, end: Tree, hunks: number[] | null = null): Promise<MergedFile> {
  const [file] = await changes(start, end);
  if (file === undefined) throw new Error('Nothing changed.');
  return mergeChange(file, hunks, root, store);
}

const put = (path: string, content: string | Buffer) => writeFileSync(join(root, path), content);
const numbers = (changed: Readonly<Record<number, string>> = {}, end = '\n') =>
  Array.from({ length: 12 }, (_, index) => `${changed[index + 1] ?? `line ${index + 1}`}${end}`).join('');

/** What the editor makes of a merge: the text of the file after its edits, or the bytes put in its place. */
function written(before: string, { action }: MergedFile): string | null {
  if (action.kind === 'none') return before;
  if (action.kind === 'replace' || action.kind === 'create') return Buffer.from(action.content, 'base64').toString();
  if (action.kind !== 'edit') return null;
  expect(Buffer.from(action.before, 'base64').toString()).toBe(before);
  const lines = before.split('\n');
  const offset = (line: number, character: number) =>
    lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, character);
  const endOfText = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
  return toPlaces(action.edits, endOfText).reduceRight(
    (text, { start, end, text: made }) =>
      text.slice(0, offset(start.line, start.character)) + made + text.slice(offset(end.line, end.character)),
    before,
  );
}

describe('accepting a change', () => {
  it('takes two of three hunks into a tree that is as it was', async () => {
    put('a.txt', numbers());
    const change = { 'a.txt': numbers({ 2: 'two', 6: 'six', 11: 'eleven' }) };
    const merged = await merge({ 'a.txt': numbers() }, change, [0, 2]);
    expect(written(numbers(), merged)).toBe(numbers({ 2: 'two', 11: 'eleven' }));
    expect(merged.action).toMatchObject({ kind: 'edit', edits: [{ after: 1, count: 1 }, { after: 10 }] });
    expect(readFileSync(join(root, 'a.txt'), 'utf8'), 'nothing is written').toBe(numbers());
  });

  it('keeps what was done in the working tree since', async () => {
    put('a.txt', numbers({ 9: 'nine' }));
    const merged = await merge({ 'a.txt': numbers() }, { 'a.txt': numbers({ 2: 'two' }) });
    expect(written(numbers({ 9: 'nine' }), merged)).toBe(numbers({ 2: 'two', 9: 'nine' }));
  });

  it('does nothing the second time', async () => {
    put('a.txt', numbers({ 2: 'two' }));
    expect((await merge({ 'a.txt': numbers() }, { 'a.txt': numbers({ 2: 'two' }) })).action).toEqual({ kind: 'none' });
  });

  it('tells a conflict, without markers, and what was to come in', async () => {
    put('a.txt', numbers({ 2: 'mine' }));
    const { action } = await merge({ 'a.txt': numbers() }, { 'a.txt': numbers({ 2: 'two', 6: 'six' }) }, [0]);
    expect(action).toEqual({ kind: 'conflict', accepted: Buffer.from(numbers({ 2: 'two' })).toString('base64') });
  });

  it('keeps CRLF, also where git turns it into LF', async () => {
    const change = [{ 'a.txt': numbers() }, { 'a.txt': numbers({ 2: 'two' }) }] as const;
    put('a.txt', numbers({ 9: 'nine' }, '\r\n'));
    const merged = await merge(...change);
    expect(merged.action.kind).toBe('edit');
    expect(written(numbers({ 9: 'nine' }, '\r\n'), merged)).toBe(numbers({ 2: 'two', 9: 'nine' }, '\r\n'));
  });

  it('puts the bytes in place where a text editor would change others: mixed line breaks, other encodings', async () => {
    const mixed = `${numbers()}windows\r\n`;
    put('a.txt', mixed);
    const merged = await merge({ 'a.txt': mixed }, { 'a.txt': mixed.replace('line 2', 'two') });
    expect(merged.action.kind).toBe('replace');
    expect(written(mixed, merged)).toBe(mixed.replace('line 2', 'two'));
    const [latin, changed] = [Buffer.from('caf\xe9\nb\n', 'latin1'), Buffer.from('caf\xe9\nc\n', 'latin1')];
    put('a.txt', latin);
    expect((await merge({ 'a.txt': latin }, { 'a.txt': changed })).action).toEqual({
      kind: 'replace',
      content: changed.toString('base64'),
    });
  });
});

describe('accepting a whole file', () => {
  it('creates it, unless something else has come there', async () => {
    const change = [{}, { 'new.txt': 'new\n' }] as const;
    expect((await merge(...change)).action).toEqual({
      kind: 'create',
      content: Buffer.from('new\n').toString('base64'),
    });
    put('new.txt', 'new\n');
    expect((await merge(...change)).action).toEqual({ kind: 'none' });
    put('new.txt', 'other\n');
    expect((await merge(...change)).action.kind).toBe('conflict');
  });

  it('deletes it, unless it was changed since', async () => {
    const change = [{ 'old.txt': 'old\n' }, {}] as const;
    expect((await merge(...change)).action).toEqual({ kind: 'none' });
    put('old.txt', 'old\n');
    expect((await merge(...change)).action).toEqual({ kind: 'delete' });
    put('old.txt', 'mine\n');
    expect((await merge(...change)).action).toEqual({ kind: 'conflict', accepted: null });
  });

  it('takes a renamed file as a deleted and an added one', async () => {
    const files = await changes({ 'old.txt': numbers() }, { 'new.txt': numbers() });
    expect(files.map(({ path, status }) => [path, status])).toEqual([
      ['new.txt', 'added'],
      ['old.txt', 'deleted'],
    ]);
  });

  it('replaces a binary file only where it is as it was', async () => {
    const [before, after] = [Buffer.from([0, 1, 2]), Buffer.from([0, 1, 3])];
    const change = [{ 'a.bin': before }, { 'a.bin': after }] as const;
    put('a.bin', before);
    expect((await merge(...change)).action).toEqual({ kind: 'replace', content: after.toString('base64') });
    put('a.bin', Buffer.from([0, 9]));
    expect((await merge(...change)).action.kind).toBe('conflict');
  });

  it('says that a file is to be executable', async () => {
    const change = [{}, { 'run.sh': { mode: '100755', text: '#!/bin/sh\n' } }] as const;
    expect(await merge(...change)).toMatchObject({ mode: '100755', action: { kind: 'create' } });
    put('a.sh', 'x\n');
    chmodSync(join(root, 'a.sh'), 0o755);
    const turned = await merge({ 'a.sh': 'x\n' }, { 'a.sh': { mode: '100755', text: 'x\n' } });
    expect(turned).toMatchObject({ mode: '100755', action: { kind: 'none' } });
  });

  it('refuses links, in the change and in the way', async () => {
    const link = { link: { mode: '120000', text: '/etc/passwd' } };
    expect((await merge({}, link)).action).toEqual({ kind: 'refused', reason: 'It is a link.' });
    expect((await merge({ link: 'file\n' }, link)).action.kind).toBe('refused');
    const outside = temporaryDirectory();
    symlinkSync(outside, join(root, 'src'));
    expect((await merge({}, { 'src/a.txt': 'new\n' })).action.kind).toBe('refused');
    rmSync(join(root, 'src'));
    mkdirSync(join(root, 'src'));
    symlinkSync('/etc/passwd', join(root, 'src', 'a.txt'));
    expect((await merge({}, { 'src/a.txt': 'new\n' })).action.kind).toBe('refused');
  });
});

it('keeps the hunks of each file apart, also beside links, modes and names that need quotes', async () => {
  const files = await changes(
    { a: 'x\n', 'b "ü" \n.txt': numbers(), c: 'plain\n', d: numbers(), 'e.bin': Buffer.from([0]) },
    {
      a: { mode: '120000', text: 'target' },
      'b "ü" \n.txt': numbers({ 1: '@@ -1 +1 @@', 12: 'diff --git a/x b/x' }),
      c: { mode: '100755', text: 'plain\n' },
      d: numbers({ 6: '' }),
      'e.bin': Buffer.from([0, 1]),
    },
  );
  expect(files.map(({ path, hunks }) => [path, hunks.map(({ start }) => start.line)])).toEqual([
    ['a', []],
    ['b "ü" \n.txt', [1, 12]],
    ['c', []],
    ['d', [6]],
    ['e.bin', []],
  ]);
});

it('equals git merge-file byte for byte, for any hunks and any working tree', async () => {
  const line = fc.constantFrom('a', 'b', 'c', '', '}');
  const text = (breaks: string) =>
    fc
      .tuple(fc.array(line, { minLength: 1, maxLength: 12 }), fc.boolean())
      .map(([all, last]) => all.join(breaks) + (last ? breaks : ''));
  const texts = fc.constantFrom('\n', '\r\n').chain(breaks => fc.tuple(text(breaks), text(breaks), text(breaks)));
  const directory = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(texts, fc.array(fc.nat(6)), async ([start, end, ours], chosen) => {
      fc.pre(start !== end);
      const [file] = await changes({ 'a.txt': start }, { 'a.txt': end });
      const hunks = file?.hunks ?? [];
      put('a.txt', ours);
      const merged = await mergeChange(file as ReviewFile, chosen, root, store);
      const accepted = acceptHunks(Buffer.from(start), Buffer.from(end), hunks, new Set(chosen));
      for (const [name, content] of Object.entries({ ours, base: start, theirs: accepted })) {
        writeFileSync(join(directory, name), content);
      }
      const git = spawnSync('git', ['merge-file', '-p', 'ours', 'base', 'theirs'], { cwd: directory });
      expect(written(ours, merged)).toBe(git.status === 0 ? git.stdout.toString() : null);
    }),
    { numRuns: Number(process.env['COACH_TEST_RUNS'] ?? 40) },
  );
}, 600_000);

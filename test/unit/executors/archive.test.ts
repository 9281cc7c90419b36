import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packDirectory, unpackUntrusted } from '../../../server/executors/archive.ts';
import { temporaryDirectory, writeFiles } from '../../integration/executorsFixture.ts';

type Entry = Partial<Header> & { name: string; content?: string };

describe('unpacking an archive of an agent', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let target: string;
  const signal = new AbortController().signal;

  beforeEach(() => {
    directory = temporaryDirectory('archive');
    target = join(directory.path, 'target');
    mkdirSync(target);
  });
  afterEach(() => directory.dispose());

  const unpack = (entries: readonly Entry[], limits?: { sizeBytes: number; entries: number }) => {
    const archive = pack();
    for (const { content = '', ...header } of entries) archive.entry(header, content);
    archive.finalize();
    return unpackUntrusted(Readable.from(archive), target, signal, limits);
  };

  it('writes nothing through a link, whatever comes after it', async () => {
    writeFiles(directory.path, { 'outside/file': 'mine' });
    await unpack([
      { name: 'app/', type: 'directory' },
      { name: 'app/dir', type: 'symlink', linkname: '../outside' },
      { name: 'app/dir/file', content: 'theirs' },
      { name: 'app/dir/new', content: 'theirs' },
      { name: 'app/file', type: 'symlink', linkname: '../outside/file' },
      { name: 'app/file', content: 'theirs' },
    ]);
    expect(readFileSync(join(directory.path, 'outside/file'), 'utf8')).toBe('mine');
    expect(readdirSync(join(directory.path, 'outside'))).toEqual(['file']);
    expect(lstatSync(join(target, 'dir')).isSymbolicLink()).toBe(true);
  });

  it('drops names that lead out, every .git, devices and pipes', async () => {
    await unpack([
      { name: 'app/../../escape', content: 'x' },
      { name: '../escape', content: 'x' },
      { name: 'app/.git/config', content: 'x' },
      { name: 'app/sub/.GIT', content: 'x' },
      { name: 'app/pipe', type: 'fifo' },
      { name: 'app/disk', type: 'block-device', devmajor: 8, devminor: 0 },
      { name: 'app/kept/.gitignore', content: 'x' },
    ]);
    expect(existsSync(join(directory.path, 'escape'))).toBe(false);
    expect(readdirSync(target, { recursive: true }).toSorted()).toEqual(['kept', 'kept/.gitignore']);
  });

  it('copies hard links from inside only', async () => {
    writeFiles(directory.path, { secret: 'secret' });
    await unpack([
      { name: 'app/a', content: 'text', mode: 0o755 },
      { name: 'app/b', type: 'link', linkname: 'app/a' },
      { name: 'app/c', type: 'link', linkname: join(directory.path, 'secret') },
      { name: 'app/d', type: 'link', linkname: '../secret' },
    ]);
    expect(readdirSync(target)).toEqual(['a', 'b']);
    expect(readFileSync(join(target, 'b'), 'utf8')).toBe('text');
    expect(lstatSync(join(target, 'a')).mode & 0o777).toBe(0o755);
  });

  it('stops at its limits', async () => {
    const many = Array.from({ length: 5 }, (_, index) => ({ name: `app/${index}`, content: 'x'.repeat(100) }));
    await expect(unpack(many, { sizeBytes: 300, entries: 100 })).rejects.toMatchObject({ code: 'sandbox.diskSpent' });
  });

  it('stops when it is cut off', async () => {
    const broken = Buffer.concat([await buffer(packDirectory(target, { extra: { big: 'x'.repeat(5000) } }))]).subarray(
      0,
      2000,
    );
    await expect(unpackUntrusted(Readable.from([broken]), target, signal)).rejects.toThrow();
  });
});

describe('packing a directory', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory('pack');
  });
  afterEach(() => directory.dispose());

  it('gives the same bytes for the same content', async () => {
    writeFiles(directory.path, { 'b/c': '1', a: '2' });
    const first = await buffer(packDirectory(directory.path, { below: 'x/y' }));
    writeFileSync(join(directory.path, 'a'), '2');
    expect((await buffer(packDirectory(directory.path, { below: 'x/y' }))).equals(first)).toBe(true);
  });

  it('refuses links, unless they are to be kept', async () => {
    symlinkSync('/etc/passwd', join(directory.path, 'link'));
    await expect(buffer(packDirectory(directory.path))).rejects.toMatchObject({ code: 'task.invalid' });
    await expect(buffer(packDirectory(directory.path, { links: 'keep' }))).resolves.toBeInstanceOf(Buffer);
  });
});

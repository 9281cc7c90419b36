import { execFileSync, spawn } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { destinationOf, writeTo } from '../../../server/base/destination.ts';
import { temporaryDirectory } from '../../temporary.ts';

const never = new AbortController().signal;
const write = async (file: string, text: string, signal = never) =>
  writeTo(await destinationOf(file), text, 0o600, signal);

/** A pipe, and all that is read of it by `cat` once `read` is called. */
function aPipe() {
  const pipe = join(temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const read = () =>
    new Promise<string>((resolve, reject) => {
      const chunks: Buffer[] = [];
      const cat = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
      cat.stdout.on('data', chunk => chunks.push(chunk));
      cat.once('error', reject).once('close', () => resolve(Buffer.concat(chunks).toString()));
    });
  return { pipe, read };
}

describe('a place that a person named', () => {
  it('is written where its links lead, which stay, also to what is not there yet', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'real'));
    symlinkSync('real/out.json', join(directory, 'inner'));
    const link = join(directory, 'link');
    symlinkSync('inner', link);
    expect(await destinationOf(link)).toEqual({ path: join(directory, 'real/out.json'), kind: 'new', isTaken: true });
    for (const [text, kind] of [
      ['one', 'file'],
      ['two', 'file'],
    ]) {
      await write(link, text ?? '');
      expect(await destinationOf(link)).toMatchObject({ kind, isTaken: true });
      expect(readFileSync(join(directory, 'real/out.json'), 'utf8')).toBe(text);
      expect([readlinkSync(link), readlinkSync(join(directory, 'inner'))]).toEqual(['inner', 'real/out.json']);
    }
    expect(await destinationOf(join(directory, 'none'))).toMatchObject({ kind: 'new', isTaken: false });
  });

  it('is refused in a directory that is not there, which may be a slip', async () => {
    const directory = temporaryDirectory();
    for (const file of [join(directory, 'slip', 'out.json'), join(directory, 'a', 'slip', 'out.json')]) {
      await expect(destinationOf(file)).rejects.toMatchObject({
        code: 'input.invalid',
        message: `There is no directory ${dirname(file)}.`,
      });
    }
    symlinkSync('slip/out.json', join(directory, 'link'));
    await expect(destinationOf(join(directory, 'link'))).rejects.toMatchObject({ code: 'input.invalid' });
    expect(readdirSync(directory)).toEqual(['link']);
  });

  it('is refused when it is a directory, or links that lead in a circle', async () => {
    const directory = temporaryDirectory();
    symlinkSync('circle', join(directory, 'circle'));
    await expect(destinationOf(directory)).rejects.toMatchObject({
      code: 'input.invalid',
      message: `${directory} is a directory.`,
    });
    await expect(destinationOf(join(directory, 'circle'))).rejects.toMatchObject({ code: 'disk.readOnly' });
    writeFileSync(join(directory, 'file'), '');
    await expect(destinationOf(join(directory, 'file', 'below'))).rejects.toMatchObject({ code: 'disk.readOnly' });
  });
});

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  it('gets all of what is written, once somebody reads it, and stays', async () => {
    const { pipe, read } = aPipe();
    const link = join(temporaryDirectory(), 'link');
    symlinkSync(pipe, link);
    expect(await destinationOf(link)).toEqual({ path: link, kind: 'stream', isTaken: false });
    const text = 'words '.repeat(100_000);
    const written = write(link, text);
    expect(await read()).toBe(text);
    await written;
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
  });

  it('that nobody reads is waited for until the person cancels', async () => {
    const { pipe } = aPipe();
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(new Error('cancelled')), 150);
    await expect(write(pipe, 'x', cancel.signal)).rejects.toThrow('cancelled');
  });
});

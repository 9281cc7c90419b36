import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDirectory } from '../../../server/base/directories.ts';
import { writeFileAtomic } from '../../../server/base/files.ts';
import { coachPaths, ensureHome } from '../../../server/base/paths.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** Below it no directory can be made, although it is one. */
const proc = '/proc';

describe('a directory', () => {
  it('is made with those above it, and stays as it is when it is there', () => {
    const place = join(temporaryDirectory(), 'a', 'b', 'c');
    makeDirectory(place, 0o700);
    expect(statSync(join(place, '..')).mode & 0o777).toBe(0o700);
    writeFileSync(join(place, 'file'), '');
    makeDirectory(place, 0o755);
    expect([statSync(place).mode & 0o777, existsSync(join(place, 'file'))]).toEqual([0o700, true]);
  });

  it('is refused where it can’t be: below a file, at a file, at a link that leads nowhere', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'file'), '');
    symlinkSync(join(directory, 'nowhere'), join(directory, 'link'));
    mkdirSync(join(directory, 'real'));
    symlinkSync(join(directory, 'real'), join(directory, 'other'));
    expect(() => makeDirectory(join(directory, 'file', 'a', 'b'))).toThrow(/ENOTDIR|ENOENT|EEXIST/);
    expect(() => makeDirectory(join(directory, 'file'))).toThrow('EEXIST');
    expect(() => makeDirectory(join(directory, 'link', 'a'))).toThrow('EEXIST');
    makeDirectory(join(directory, 'other', 'a'));
    expect(existsSync(join(directory, 'real', 'a'))).toBe(true);
  });
});

describe('COACH_HOME', () => {
  it('in the middle of whose path a file lies is refused, with the file', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    for (const home of [file, join(file, 'home'), join(file, 'a', 'home')]) {
      expect(() => ensureHome(coachPaths({ COACH_HOME: home }))).toThrow(`Can't write to ${home}: `);
    }
  });

  it.runIf(existsSync(proc))('below /proc is refused at once, as is a file there', { timeout: 5000 }, async () => {
    for (const home of ['/proc/a', '/proc/a/b/c', '/proc/self/a']) {
      expect(() => ensureHome(coachPaths({ COACH_HOME: home }))).toThrow(`Can't write to ${home}: `);
      await expect(writeFileAtomic(join(home, 'file'), '')).rejects.toMatchObject({ code: 'disk.readOnly' });
    }
  });
});

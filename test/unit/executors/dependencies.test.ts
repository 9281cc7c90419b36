import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { installDependencies } from '../../../server/executors/dependencies.ts';
import { loadNeeds } from '../../../server/executors/needs.ts';
import { writeFiles } from '../../integration/executorsFixture.ts';
import { temporaryDirectory } from '../../temporary.ts';

const signal = new AbortController().signal;

function anEnvironment(lockfile: string | object): string {
  const directory = temporaryDirectory();
  writeFiles(directory, {
    'needs.json': JSON.stringify({ packages: ['golang-go'], dependencies: 'npm' }),
    'dependencies/package.json': JSON.stringify({ name: 'x', version: '1.0.0', scripts: { install: 'touch ran' } }),
    'dependencies/package-lock.json': typeof lockfile === 'string' ? lockfile : JSON.stringify(lockfile),
  });
  return directory;
}

const emptyLock = {
  name: 'x',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': { name: 'x', version: '1.0.0' } },
};

describe('what an environment needs', () => {
  it('is read from needs.json; without one it is nothing', async () => {
    expect(await loadNeeds(anEnvironment(emptyLock))).toEqual({ packages: ['golang-go'], dependencies: 'npm' });
    expect(await loadNeeds(temporaryDirectory())).toEqual({ packages: [], dependencies: null });
  });

  it.each(['{', '{"packages":["--evil"]}', '{"dependencies":"make"}'])('is never %s', async text => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'needs.json'), text);
    await expect(loadNeeds(directory)).rejects.toMatchObject({ code: 'task.invalid' });
  });
});

describe('dependencies', () => {
  const install = async (environment: string, cache: string) =>
    installDependencies(environment, await loadNeeds(environment), cache, silentLog, signal);

  it('are installed once for all environments with the same files, without running their scripts', async () => {
    const cache = temporaryDirectory();
    const [first] = await install(anEnvironment(emptyLock), cache);
    expect(first?.inside).toBe('/node_modules');
    expect(existsSync(join(first?.host ?? '', '..', 'ran'))).toBe(false);
    writeFileSync(join(first?.host ?? '', 'mark'), '');
    const [second] = await install(anEnvironment(emptyLock), cache);
    expect(second).toEqual(first);
    expect(existsSync(join(second?.host ?? '', 'mark'))).toBe(true);
    const [other] = await install(anEnvironment({ ...emptyLock, requires: true }), cache);
    expect(other?.host).not.toBe(first?.host);
  });

  it('that can not be installed leave nothing behind, and say why', async () => {
    const cache = temporaryDirectory();
    await expect(install(anEnvironment('not json'), cache)).rejects.toMatchObject({
      code: 'executor.unavailable',
      message: expect.stringContaining('npm'),
    });
    expect(readdirSync(cache)).toEqual([]);
    rmSync(cache, { recursive: true });
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../server/base/log.ts';
import { currentOwner, ownerLives } from '../../../server/base/owner.ts';
import { dockerExecutor } from '../../../server/executors/docker/docker.ts';
import { createExecutors, executorsOf } from '../../../server/executors/index.ts';
import { localExecutor } from '../../../server/executors/local/local.ts';
import { shimFile } from '../../../server/executors/places.ts';
import { temporaryDirectory } from '../../integration/executorsFixture.ts';

const node = process.execPath;
const signal = new AbortController().signal;

describe('executors that can not work', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  beforeEach(() => {
    directory = temporaryDirectory('executors');
  });
  afterEach(() => directory.dispose());
  const local = (...bubblewraps: string[]) =>
    localExecutor({
      workspaces: join(directory.path, 'workspaces'),
      dependencyCache: directory.path,
      bubblewraps: () => bubblewraps,
      node,
      shim: shimFile,
    });
  const docker = (host: string) =>
    dockerExecutor({
      host: () => host,
      imageCache: directory.path,
      dependencyCache: directory.path,
      node,
      shim: shimFile,
    });

  it('says how to get one when no bubblewrap works, and never runs a command without', async () => {
    const executor = local('/bin/false', '/no/such/bwrap');
    const info = await executor.probe();
    expect(info.available).toBe(false);
    expect(info.detail).toMatch(/\/bin\/false: exit code 1; \/no\/such\/bwrap: .* Install it/);
    const environment = { taskName: 't', directory: directory.path, bundle: '', baseImage: '', workdir: '/app' };
    await expect(executor.prepare(environment, silentLog, signal)).rejects.toMatchObject({
      code: 'executor.unavailable',
    });
  });

  it('says where it looked for an engine', async () => {
    const info = await docker('unix:///no/such/docker.sock').probe();
    expect(info).toMatchObject({ available: false });
    expect(info.detail).toBe(
      'No Docker engine answers at unix:///no/such/docker.sock. Start Docker, or run with --executor local.',
    );
    expect(await docker('/no/such/docker.sock').sweep(silentLog)).toBe(0);
  });

  it('refuses an engine of another machine', async () => {
    expect((await docker('tcp://example.com:2375').probe()).detail).toMatch(/not an engine of this machine/);
  });

  it('names the package of a program that is not in the sandbox', async () => {
    const program = join(directory.path, 'bwrap');
    writeFileSync(program, '#!/bin/sh\ncase "$*" in *cargo*) echo "cargo: not found" >&2; exit 127;; esac\n', {
      mode: 0o755,
    });
    writeFileSync(join(directory.path, 'needs.json'), '{"packages":["cargo"]}');
    const environment = { taskName: 't', directory: directory.path, bundle: '', baseImage: '', workdir: '/app' };
    await expect(local(program).prepare(environment, silentLog, signal)).rejects.toMatchObject({
      code: 'executor.unavailable',
      message: expect.stringContaining('"cargo --version" fails here: cargo: not found'),
      hint: expect.stringContaining('apt-get install cargo'),
    });
  });

  it('refuses a task in a directory of the system, which agents can read', async () => {
    const executor = localExecutor({
      workspaces: '/usr/share',
      dependencyCache: directory.path,
      bubblewraps: () => ['bwrap'],
      node,
      shim: shimFile,
    });
    const environment = { taskName: 't', directory: directory.path, bundle: '', baseImage: '', workdir: '/app' };
    await expect(executor.prepare(environment, silentLog, signal)).rejects.toMatchObject({
      code: 'executor.unavailable',
    });
  });

  it('names what is missing when no executor is left, and the known ones for an unknown', async () => {
    const executors = executorsOf([docker('/no/such/docker.sock'), local('/bin/false')]);
    await expect(executors.choose('auto')).rejects.toMatchObject({
      code: 'executor.unavailable',
      message: expect.stringMatching(/Docker: .* Local sandbox: /),
    });
    await expect(executors.choose('moon')).rejects.toMatchObject({
      code: 'executor.unknown',
      hint: 'Known: auto, docker, local.',
    });
  });

  it('has docker before local', () => {
    mkdirSync(join(directory.path, 'w'));
    const all = createExecutors({
      host: () => '',
      imageCache: directory.path,
      dependencyCache: directory.path,
      workspaces: join(directory.path, 'w'),
      bubblewraps: () => [],
      node,
      shim: shimFile,
    }).all;
    expect(all.map(executor => executor.id)).toEqual(['docker', 'local']);
  });
});

describe('the owner of a sandbox', () => {
  it('lives while its process does, and is not mistaken for a later one of the same number', () => {
    expect(ownerLives(currentOwner())).toBe(true);
    expect(ownerLives({ ...currentOwner(), startTime: '1' })).toBe(false);
    expect(ownerLives({ pid: 2 ** 22 + 1, startTime: '' })).toBe(false);
    expect(ownerLives({ pid: 0, startTime: '' })).toBe(false);
  });
});

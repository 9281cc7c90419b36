import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sessionSource } from '../../../server/tasks/sessionSource.ts';
import { aDirectory, aRepository, userGit } from '../git/aRepository.ts';
import { anOrigin, aRecorder, aReply, said } from '../traces/recordedTraffic.ts';

const noFiles = { list: async () => [], load: async () => null, startCommit: async () => null };

/** Sessions that would be attached to a task of `root`, after Codex has worked in these directories. */
async function attachable(root: string, directories: Record<string, string | null>, trialId: string | null = null) {
  const { record, store } = aRecorder();
  const launch = { id: 'l', agent: 'codex', label: null, trialId, replay: false };
  for (const [index, [id, directory]] of Object.entries(directories).entries()) {
    const context = `<environment_context><cwd>${directory}</cwd></environment_context>`;
    const input = [...(directory === null ? [] : [said('user', context)]), said('user', 'Do it')];
    const traffic = { request: { model: 'm', input }, response: aReply([]), headers: { 'thread-id': id } };
    record(traffic, 1000 * (index + 1), anOrigin({ launch }));
  }
  const source = sessionSource({ flush: async () => undefined }, store, noFiles);
  return (await source.since(0, root)).map(session => session.id);
}

describe('the session of a task', () => {
  it('is one of its repository, also from a subdirectory or by a link, newest first', async () => {
    const root = aRepository({ 'packages/app/index.js': '1\n' });
    const link = join(aDirectory(), 'link');
    symlinkSync(root, link);
    const directories = { top: root, below: join(root, 'packages', 'app'), linked: join(link, 'packages') };
    expect(await attachable(root, directories)).toEqual(['linked', 'below', 'top']);
  });

  it('is never one of another project, of an unknown place, or of a repository nested in this one', async () => {
    const root = aRepository();
    const nested = join(root, 'nested');
    mkdirSync(nested);
    userGit(nested, 'init', '-q');
    const directories = {
      unknown: null,
      elsewhere: aRepository(),
      beside: `${root}-2`,
      above: join(root, '..'),
      gone: join(root, 'gone'),
      relative: '.',
      nested,
    };
    expect(await attachable(root, directories)).toEqual([]);
  });

  it('is never a trial’s, whatever directory its agent claims', async () => {
    const root = aRepository();
    expect(await attachable(root, { trial: root }, 'run-1.1')).toEqual([]);
  });
});

it('finds a session by an unambiguous beginning of its id', async () => {
  const { record, store } = aRecorder();
  for (const id of ['0199aaaa-1', '0199bbbb-2']) {
    const traffic = { request: { model: 'm', input: [said('user', 'Do it')] }, response: aReply([]) };
    record({ ...traffic, headers: { 'thread-id': id } }, 1000, anOrigin());
  }
  const source = sessionSource({ flush: async () => undefined }, store, noFiles);
  expect((await source.clean('0199b')).session_id).toBe('0199bbbb-2');
  expect(await source.isRecorded('0199a')).toBe(true);
  expect(await source.isRecorded('0199c')).toBe(false);
  await expect(source.clean('0199')).rejects.toThrow('More than one session begins with 0199.');
});

describe('the commit that a session started at', () => {
  const commit = 'a'.repeat(40);
  const sourceOf = (workspaces: object, files = noFiles) => {
    const { record, store } = aRecorder();
    const turn = JSON.stringify({ thread_id: 't', workspaces });
    const request = { model: 'm', input: [said('user', 'Do it')], client_metadata: { 'x-codex-turn-metadata': turn } };
    record({ request, response: aReply([]), headers: { 'thread-id': 't' } }, 1000, anOrigin({}));
    return sessionSource({ flush: async () => undefined }, store, files);
  };

  it('is what Codex names in its requests, or wrote into its own file', async () => {
    expect(await sourceOf({ '/work': { latest_git_commit_hash: commit } }).startCommit('t')).toBe(commit);
    const written = { ...noFiles, startCommit: async () => 'b'.repeat(40) };
    expect(await sourceOf({ '/work': {} }, written as unknown as typeof noFiles).startCommit('t')).toBe('b'.repeat(40));
  });

  it('is not known where several are named, or none', async () => {
    const one = { latest_git_commit_hash: commit };
    expect(await sourceOf({ '/work': one, '/other': one }).startCommit('t')).toBeNull();
    expect(await sourceOf({ '/work': { latest_git_commit_hash: '--upload-pack' } }).startCommit('t')).toBeNull();
  });
});

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { leakedBlobs } from '../../../server/git/leak.ts';
import { aDirectory, aRepository, userGit, write } from './aRepository.ts';

/** Puts the later content somewhere into a repository whose branch stands at the start again. */
const places: Readonly<Record<string, (root: string, later: string, blob: string) => void>> = {
  'a reflog': () => undefined,
  'a branch': (root, later) => void userGit(root, 'branch', 'later', later),
  'a tag': (root, later) => void userGit(root, 'tag', 'v2', later),
  'a tag of the file itself': (root, later) => void userGit(root, 'tag', 'content', `${later}:a.txt`),
  'a remote branch': (root, later) => void userGit(root, 'update-ref', 'refs/remotes/origin/main', later),
  'a stash': root => {
    write(root, { 'a.txt': 'the future\n' });
    userGit(root, 'stash', '--quiet');
    forgetLog(root);
  },
  'a note': (root, _later, blob) => {
    userGit(root, 'notes', 'add', '-C', blob, 'HEAD');
    forgetLog(root);
  },
  'a pack': root => void userGit(root, 'repack', '-a', '-d', '--quiet', '--keep-unreachable'),
  'the objects of another repository': root => {
    const other = join(aDirectory(), 'objects');
    cpSync(join(root, '.git', 'objects'), other, { recursive: true });
    forgetLog(root);
    userGit(root, 'gc', '--prune=now', '--quiet');
    writeFileSync(join(root, '.git', 'objects', 'info', 'alternates'), `${other}\n`);
  },
  'the index': (root, _later, blob) => {
    userGit(root, 'update-index', '--add', '--cacheinfo', `100644,${blob},hidden.txt`);
    forgetLog(root);
  },
  'the index of another working tree': (root, later) => {
    userGit(root, 'worktree', 'add', '--quiet', '--detach', join(aDirectory(), 'tree'), later);
    forgetLog(root);
  },
};

function forgetLog(root: string): void {
  userGit(root, 'reflog', 'expire', '--expire=now', '--all');
}

describe('leakedBlobs', () => {
  it.each(Object.entries(places))('finds a file of the future in %s', async (_place, hide) => {
    const { root, later, blob } = aForgetfulRepository();
    hide(root, later, blob);
    expect(await leakedBlobs(root, [blob], { bare: false })).toEqual([blob]);
  });

  it('finds nothing where the future is really gone', async () => {
    const { root, blob } = aForgetfulRepository();
    forgetLog(root);
    userGit(root, 'gc', '--prune=now', '--quiet');
    expect(await leakedBlobs(root, [blob], { bare: false })).toEqual([]);
  });
});

/** A repository whose later commit was taken back. */
function aForgetfulRepository(): { root: string; later: string; blob: string } {
  const root = aRepository({ 'a.txt': 'one\n' });
  write(root, { 'a.txt': 'the future\n' });
  userGit(root, 'commit', '--quiet', '--all', '--message', 'Later');
  const later = userGit(root, 'rev-parse', 'HEAD').trim();
  const blob = userGit(root, 'rev-parse', 'HEAD:a.txt').trim();
  userGit(root, 'reset', '--quiet', '--hard', 'HEAD~1');
  return { root, later, blob };
}

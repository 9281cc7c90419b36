import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A temporary directory, removed at the end of the file's tests. */
export function aDirectory(name = 'coach-test'): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), `${name}-`)));
  made.push(directory);
  return directory;
}

/** Plain git as a user has it, with an identity and no settings of the machine. */
export function userGit(directory: string, ...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=A User', '-c', 'user.email=user@example.com', ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}

export function write(directory: string, files: Readonly<Record<string, string | Buffer>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** A repository with one commit of these files. */
export function aRepository(files: Readonly<Record<string, string | Buffer>> = { 'a.txt': 'one\n' }): string {
  const directory = aDirectory('coach-repo');
  userGit(directory, 'init', '-q', '-b', 'main');
  userGit(directory, 'config', 'user.name', 'A User');
  userGit(directory, 'config', 'user.email', 'user@example.com');
  write(directory, files);
  userGit(directory, 'add', '-A');
  userGit(directory, 'commit', '-q', '-m', 'Start');
  return directory;
}

/** Makes every way known to run code from a repository's own configuration leave its name in a directory. */
export function makeHostile(repository: string): { ran(): string[]; forget(): void } {
  const markers = aDirectory('coach-markers');
  const script = (name: string) => {
    const file = join(markers, `${name}.sh`);
    writeFileSync(file, `#!/bin/sh\ntouch '${join(markers, `${name}.ran`)}'\ncat 2>/dev/null\nexit 0\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const settings: Record<string, string> = {
    'core.fsmonitor': script('fsmonitor'),
    'core.hooksPath': join(repository, '.git', 'evil-hooks'),
    'core.pager': script('pager'),
    'core.editor': script('editor'),
    'core.sshCommand': script('ssh'),
    'core.gitProxy': script('proxy'),
    'core.askPass': script('askpass'),
    'credential.helper': `!${script('credential')}`,
    'diff.external': script('external'),
    'diff.evil.command': script('diffcommand'),
    'diff.evil.textconv': script('textconv'),
    'filter.evil.clean': script('clean'),
    'filter.evil.smudge': script('smudge'),
    'filter.evil.required': 'false',
    'filter.process.process': script('process'),
    'merge.evil.driver': script('merge'),
    'gpg.program': script('gpg'),
    'commit.gpgSign': 'true',
    'protocol.ext.allow': 'always',
    'remote.origin.url': `ext::sh -c ${script('transport')}`,
    'remote.origin.promisor': 'true',
    'alias.status': `!${script('alias')}`,
  };
  for (const [name, value] of Object.entries(settings)) userGit(repository, 'config', name, value);
  const hooks = join(repository, '.git', 'evil-hooks');
  mkdirSync(hooks);
  for (const hook of ['post-index-change', 'pre-commit', 'post-checkout', 'reference-transaction', 'post-merge']) {
    writeFileSync(join(hooks, hook), `#!/bin/sh\ntouch '${join(markers, `${hook}.ran`)}'\n`);
    chmodSync(join(hooks, hook), 0o755);
  }
  write(repository, { '.gitattributes': '* filter=evil diff=evil\n*.p filter=process\n' });
  const ran = () =>
    readdirSync(markers)
      .filter(name => name.endsWith('.ran'))
      .sort();
  return { ran, forget: () => ran().forEach(name => void rmSync(join(markers, name))) };
}

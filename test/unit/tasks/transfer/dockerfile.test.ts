import { describe, expect, it } from 'vitest';
import { readDockerfile, workdirProblem } from '../../../../server/tasks/transfer/dockerfile.ts';

const file = (path: string) => ({ kind: 'file', path, mode: 0o644, content: Buffer.from(path) }) as const;
const context = [file('a.txt'), file('src/b.txt'), file('src/deep/c.txt')];
const startOf = (text: string) => readDockerfile(text, context).start.map(one => one.path);

describe('a Dockerfile that is read', () => {
  it('names the base image of its last stage, through arguments and other stages', () => {
    const text = `ARG TAG=24\nFROM --platform=linux/amd64 node:\${TAG} AS base\nWORKDIR /app\nFROM debian AS other\nFROM base\n`;
    expect(readDockerfile(text, [])).toMatchObject({ baseImage: 'node:24', workdir: '/app' });
    expect(readDockerfile('RUN true\n', [])).toMatchObject({ baseImage: null, workdir: null });
  });

  it.each([
    ['a file into the working directory', 'COPY a.txt .', ['a.txt']],
    ['a file under another name', 'COPY a.txt b/renamed.txt', ['b/renamed.txt']],
    ['the content of a directory', 'COPY src/ ./', ['b.txt', 'deep/c.txt']],
    ['several, over more than one line', 'COPY a.txt \\\n  src/b.txt \\\n  here/', ['here/a.txt', 'here/b.txt']],
    ['as JSON, with an owner', 'COPY --chown=1:1 ["a.txt", "./"]', ['a.txt']],
    ['everything', 'COPY . .', ['a.txt', 'src/b.txt', 'src/deep/c.txt']],
    ['nothing that lies elsewhere', 'COPY a.txt /etc/a.txt', []],
    ['nothing of another stage', 'COPY --from=build /x ./x', []],
  ])('copies %s', (_, line, paths) => {
    expect(startOf(`FROM debian\nWORKDIR /srv\nWORKDIR app\n${line}\n`)).toEqual(paths);
  });

  it('keeps what an earlier stage copied', () => {
    expect(startOf('FROM debian AS one\nWORKDIR /app\nCOPY a.txt .\nFROM one\nCOPY src/b.txt .\n')).toEqual([
      'a.txt',
      'b.txt',
    ]);
  });
});

it.each([
  ['/', /only what lies in a directory/],
  ['app', /not absolute/],
  ['/usr/src', /place of the sandbox/],
  ['/tests', /place of the sandbox/],
])('tells why agents can’t work in %s', (workdir, why) => {
  expect(workdirProblem(workdir)).toMatch(why);
});

it('lets agents work in any other directory', () => {
  for (const workdir of ['/app', '/testbed', '/workspace/x', '/root/project', '/user'])
    expect(workdirProblem(workdir)).toBeNull();
});

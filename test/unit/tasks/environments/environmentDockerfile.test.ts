import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { givenEnvironment } from '../../../../server/tasks/environments/environmentDockerfile.ts';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { aCreatedTask, change, library, signal } from '../aTask.ts';

const files = (content: Readonly<Record<string, string>>) => ({
  paths: Object.keys(content),
  read: async (path: string) => (content[path] === undefined ? null : Buffer.from(content[path])),
});
const given = (dockerfile: string, others: Readonly<Record<string, string>> = {}) =>
  givenEnvironment('Dockerfile', files({ Dockerfile: dockerfile, ...others }));

describe('a Dockerfile that the user names', () => {
  it('becomes the environment up to the repository, with the files that it copies in a place of their own', async () => {
    const text = `# Our image
ARG VERSION=24
FROM node:$VERSION-bookworm-slim
ENV LANG=C.UTF-8
COPY package*.json tools/ /opt/
RUN apt-get update \\
 # a comment between
 && apt-get install -y jq
COPY ["a b.txt", "/opt/"]
CMD ["node"]
`;
    const others = { 'package.json': '', 'package-lock.json': '', 'tools/x.sh': '', 'a b.txt': '', 'src/a.js': '' };
    expect(await given(text, others)).toEqual({
      baseImage: 'node:24-bookworm-slim',
      steps: [
        'ENV LANG=C.UTF-8',
        'COPY ["context/package*.json","context/tools","/opt/"]',
        expect.stringMatching(/^RUN apt-get update\s+&& apt-get install -y jq$/),
        'COPY ["context/a b.txt","/opt/"]',
        'CMD ["node"]',
      ],
      context: ['a b.txt', 'package-lock.json', 'package.json', 'tools/x.sh'],
    });
  });

  it('copies what .dockerignore leaves', async () => {
    const others = { '.dockerignore': 'secret\n*.log\n', 'secret/key': '', 'a.log': '', 'src/a.js': '' };
    expect((await given('FROM debian:bookworm-slim\nCOPY . /src\n', others)).context).toEqual([
      '.dockerignore',
      'Dockerfile',
      'src/a.js',
    ]);
  });

  it.each([
    ['FROM a\nFROM b\n', 'a second FROM'],
    ['FROM scratch\n', 'FROM scratch'],
    ['FROM $BASE\n', 'FROM $BASE'],
    ['FROM --platform=linux/arm64 a\n', 'FROM --platform'],
    ['FROM a\nCOPY --from=b /x /y\n', 'COPY --from'],
    ['FROM a\nRUN --mount=type=cache,target=/x make\n', 'RUN --mount'],
    ['FROM a\nRUN <<EOF\nmake\nEOF\n', 'a here-document'],
    ['# syntax=docker/dockerfile:1\nFROM a\n', 'the directive syntax'],
    ['FROM a\nADD https://example.com/x /x\n', 'ADD https://example.com/x'],
    ['FROM a\nCOPY ../x /x\n', 'COPY ../x'],
    ['FROM a\nCOPY gone.txt /x\n', 'COPY gone.txt'],
    ['FROM a\nVOLUME /x\n', 'VOLUME'],
    ['FROM a\nHEALTHCHECK CMD true\n', 'HEALTHCHECK'],
    ['FROM a\nSHELL ["bash"]\n', 'SHELL'],
    ['FROM a\nINCLUDE x\n', 'INCLUDE'],
    ['RUN true\n', 'no FROM'],
  ])('is refused by name: %j', async (text, what) => {
    await expect(given(text)).rejects.toMatchObject({
      code: 'task.unsupported',
      message: expect.stringContaining(`the environment of a task: ${what} (`),
    });
  });

  it('may be that of a devcontainer.json, whose other features are refused by name', async () => {
    const at = (json: string) =>
      givenEnvironment(
        '.devcontainer/devcontainer.json',
        files({ '.devcontainer/devcontainer.json': json, '.devcontainer/Dockerfile': 'FROM a\nCOPY x /x\n', x: '' }),
      );
    expect(await at('{ "image": "debian:bookworm", /* why */ "name": "//", }')).toEqual({
      baseImage: 'debian:bookworm',
      steps: [],
      context: [],
    });
    expect(await at('{ "build": { "dockerfile": "Dockerfile", "context": ".." } }')).toMatchObject({
      steps: ['COPY ["context/x","/x"]'],
      context: ['x'],
    });
    await expect(at('{ "image": "a", "features": {} }')).rejects.toThrow(/: features \(/);
    await expect(at('{ "image": "a", "postCreateCommand": "make" }')).rejects.toThrow(/: postCreateCommand \(/);
    await expect(at('{ "build": { "args": {} } }')).rejects.toThrow(/: build\.args \(/);
  });

  it('is sealed into the task as it was at the start', async () => {
    const own = {
      ...library,
      Dockerfile: 'FROM node:24-bookworm-slim\nCOPY tool.sh /usr/local/bin/tool\n',
      'tool.sh': 'old\n',
    };
    const { root, handlers, task } = await aCreatedTask({ files: own, change: { ...change, 'tool.sh': 'new\n' } });
    const prepared = await handlers.prepare(
      { repository: root, task: task.id, name: undefined, dockerfile: 'Dockerfile' },
      signal,
    );
    const { environment, baseImage } = await loadPreparedTask(prepared.directory);
    expect(baseImage).toBe('node:24-bookworm-slim');
    expect(readFileSync(`${environment}/context/tool.sh`, 'utf8')).toBe('old\n');
    expect(readFileSync(`${environment}/Dockerfile`, 'utf8')).toContain(
      `FROM \${BASE_IMAGE}\nCOPY ["context/tool.sh","/usr/local/bin/tool"]\nUSER root\nRUN missing=`,
    );
    expect(execFileSync('git', ['bundle', 'list-heads', `${environment}/repo.bundle`]).toString()).toContain('HEAD');
    await expect(
      handlers.prepare({ repository: root, task: task.id, name: undefined, dockerfile: 'docker/None' }, signal),
    ).rejects.toMatchObject({ code: 'task.invalid' });
  });
});

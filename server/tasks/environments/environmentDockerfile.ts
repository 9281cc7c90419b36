import { posix } from 'node:path';
import * as z from 'zod';
import { CoachError } from '../../../protocol/errors.ts';
import { type RepositoryFiles, readText } from '../testing/testCommand.ts';
import { toMatcher } from '../testing/testPattern.ts';
import { instructionsOf } from '../transfer/dockerfile.ts';

/** An environment that the user names: what comes before the repository in the task's own Dockerfile. */
export interface GivenEnvironment {
  readonly baseImage: string;
  /** The instructions after FROM, one a line; what they copy lies in `context/` of the build context. */
  readonly steps: readonly string[];
  /** Files of the start that they copy. */
  readonly context: readonly string[];
}

/** Where the copied files lie in the build context, apart from ours. */
const contextDirectory = 'context';

/** What needs another builder, reaches out of the context, or would be undone by what a sandbox sets itself. */
const refused: Readonly<Record<string, string>> = {
  ONBUILD: 'it is for other images',
  VOLUME: 'sandboxes have their own',
  SHELL: 'later steps need sh',
  HEALTHCHECK: 'nothing is served in a sandbox',
};
const known = new Set([
  'ARG',
  'RUN',
  'ENV',
  'COPY',
  'ADD',
  'WORKDIR',
  'USER',
  'LABEL',
  'MAINTAINER',
  'EXPOSE',
  'STOPSIGNAL',
  'ENTRYPOINT',
  'CMD',
]);
const refusedFlag =
  /(?:^|\s)(--(?:from|mount|network|security|link|parents|exclude|chmod|checksum|keep-git-dir|platform))\b/;

/**
 * Reads the Dockerfile, or the devcontainer.json, that a user names for a task.
 * @param files of the start: what agents begin with
 * @throws CoachError `task.invalid` when it is missing, `task.unsupported` naming what can't be had
 */
export async function givenEnvironment(path: string, files: RepositoryFiles): Promise<GivenEnvironment> {
  const file = posix.normalize(path);
  const text = await readText(files, file);
  if (text === null) {
    throw new CoachError('task.invalid', `${file} is not in the repository at the start of the task.`, {
      hint: 'Name a Dockerfile or devcontainer.json relative to the repository, as it was before the change.',
    });
  }
  if (file.endsWith('.json')) return fromDevcontainer(file, text, files);
  return fromDockerfile(file, text, '.', files);
}

async function fromDockerfile(
  file: string,
  text: string,
  root: string,
  files: RepositoryFiles,
): Promise<GivenEnvironment> {
  const directive = /^#\s*(syntax|escape|check)\s*=/im.exec(text);
  if (directive !== null) throw unsupported(file, `the directive ${directive[1]}`, 'it needs another builder');
  if (/<<-?["']?\w/.test(text)) throw unsupported(file, 'a here-document', 'it needs another builder');
  const before = new Map<string, string>();
  let baseImage: string | null = null;
  const steps: string[] = [];
  const context = new Set<string>();
  const inContext = (await notIgnored(root, files)).sort();
  for (const [word, rest] of instructionsOf(text)) {
    const flag = refusedFlag.exec(word === 'RUN' ? (/^(?:--\S+\s+)*/.exec(rest)?.[0] ?? '') : rest)?.[1];
    if (flag !== undefined) throw unsupported(file, `${word} ${flag}`, 'one stage is built by the classic builder');
    if (word === 'FROM') {
      if (baseImage !== null) throw unsupported(file, 'a second FROM', 'a task has one stage');
      baseImage = requireImage(file, rest, before);
    } else if (word in refused) throw unsupported(file, word, refused[word] ?? '');
    else if (!known.has(word)) throw unsupported(file, word, 'it is not an instruction of Dockerfiles');
    else if (baseImage === null) before.set(...argument(rest));
    else if (word === 'COPY' || word === 'ADD') {
      const { line, copied } = copyStep(file, word, rest, root, inContext);
      steps.push(line);
      for (const name of copied) context.add(name);
    } else steps.push(`${word} ${rest}`);
  }
  if (baseImage === null) throw unsupported(file, 'no FROM', 'it names no image');
  return { baseImage, steps, context: [...context].sort() };
}

function requireImage(file: string, rest: string, before: ReadonlyMap<string, string>): string {
  const name = (rest.split(/\s+/)[0] ?? '').replaceAll(
    /\$\{?(\w+)\}?/g,
    (whole, key: string) => before.get(key) || whole,
  );
  if (name === 'scratch' || name.includes('$')) throw unsupported(file, `FROM ${name}`, 'an image must be named');
  return name;
}

function argument(rest: string): [string, string] {
  const [, name = '', value = ''] = /^(\w+)(?:=(.*))?$/.exec(rest.trim()) ?? [];
  return [name, value.replaceAll(/^["']|["']$/g, '')];
}

/** A COPY or ADD from where its files lie in the task's own context. */
function copyStep(
  file: string,
  word: string,
  rest: string,
  root: string,
  paths: readonly string[],
): { line: string; copied: string[] } {
  const flags = /^(?:--\S+\s+)*/.exec(rest)?.[0] ?? '';
  const given = rest.slice(flags.length).trim();
  const words = given.startsWith('[') ? (JSON.parse(given) as string[]) : given.split(/\s+/);
  const target = words.at(-1) ?? '.';
  const copied: string[] = [];
  const sources = words.slice(0, -1).map(source => {
    if (/^(?:https?:|git@|git:|ssh:)/.test(source)) throw unsupported(file, `${word} ${source}`, 'it is not pinned');
    const from = posix.join(root, posix.normalize(`/${source}`).replaceAll(/^\/|\/$/g, '') || '.');
    if (/(?:^|\/)\.\.(?:\/|$)/.test(source))
      throw unsupported(file, `${word} ${source}`, 'it lies outside of the context');
    const matches = toMatcher(from);
    const found = paths.filter(path => from === '.' || matches(path) || path.startsWith(`${from}/`));
    if (found.length === 0) throw unsupported(file, `${word} ${source}`, 'no such file is there at the start');
    copied.push(...found);
    return posix.join(contextDirectory, from);
  });
  return { line: `${word} ${flags}${JSON.stringify([...sources, target])}`, copied };
}

/** What a .dockerignore leaves of the files. */
async function notIgnored(root: string, files: RepositoryFiles): Promise<string[]> {
  const file = posix.join(root, '.dockerignore');
  const rules = ((await readText(files, file)) ?? '')
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'));
  const exception = rules.find(rule => rule.startsWith('!'));
  if (exception !== undefined) throw unsupported(file, exception, 'exceptions are not read');
  const matchers = rules.map(rule => toMatcher(posix.join(root, posix.normalize(`/${rule}`).slice(1))));
  const below = (path: string) => path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/'));
  return files.paths.filter(path => !below(path).some(part => matchers.some(matches => matches(part))));
}

const Devcontainer = z.looseObject({
  image: z.string().optional(),
  dockerFile: z.string().optional(),
  context: z.string().optional(),
  build: z.looseObject({ dockerfile: z.string().optional(), context: z.string().optional() }).optional(),
});

/** What is for an editor, and has no meaning in a sandbox. */
const editorOnly = new Set([
  '$schema',
  'name',
  'image',
  'dockerFile',
  'context',
  'build',
  'customizations',
  'forwardPorts',
  'portsAttributes',
  'remoteUser',
  'shutdownAction',
  'extensions',
  'settings',
]);

async function fromDevcontainer(file: string, text: string, files: RepositoryFiles): Promise<GivenEnvironment> {
  const found = Devcontainer.safeParse(parseCommented(text)).data;
  if (found === undefined)
    throw new CoachError('task.invalid', `${file} is not a devcontainer.json.`, { hint: 'Name a Dockerfile.' });
  const other = Object.keys(found).find(key => !editorOnly.has(key));
  if (other !== undefined) throw unsupported(file, other, 'only an image or a Dockerfile is taken from it');
  const option = Object.keys(found.build ?? {}).find(key => !['dockerfile', 'context'].includes(key));
  if (option !== undefined) throw unsupported(file, `build.${option}`, 'only a Dockerfile and its context are');
  if (found.image !== undefined) return { baseImage: found.image, steps: [], context: [] };
  const own = posix.dirname(file);
  const dockerfile = posix.join(own, found.build?.dockerfile ?? found.dockerFile ?? 'Dockerfile');
  const content = await readText(files, dockerfile);
  if (content === null)
    throw new CoachError('task.invalid', `${file} names ${dockerfile}, which is not there.`, {
      hint: 'Name a Dockerfile.',
    });
  const context = posix.join(own, found.build?.context ?? found.context ?? '.');
  if (context.startsWith('..'))
    throw unsupported(file, 'a context outside of the repository', 'only its files are there');
  return fromDockerfile(dockerfile, content, context.replace(/\/$/, ''), files);
}

/** JSON as editors read it: with comments and commas at the end. */
function parseCommented(text: string): unknown {
  const plain = text
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (_whole, quoted: string | undefined) => quoted ?? '',
    )
    .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_whole, quoted: string | undefined) => quoted ?? '');
  try {
    return JSON.parse(plain);
  } catch {
    return null;
  }
}

function unsupported(file: string, what: string, why: string): CoachError {
  return new CoachError('task.unsupported', `${file} can't be the environment of a task: ${what} (${why}).`, {
    hint: 'Name a Dockerfile of one stage with FROM, ARG, ENV, RUN, WORKDIR, USER, COPY and ADD of files of the repository.',
  });
}

import { posix } from 'node:path';
import type { FileNode } from './directoryTree.ts';

export interface ReadDockerfile {
  /** Image of the last stage; null when a Dockerfile has no FROM. */
  readonly baseImage: string | null;
  /** Null when it sets none. */
  readonly workdir: string | null;
  /** What COPY and ADD put below `workdir`; what RUN makes is only known once it is built. */
  readonly start: readonly FileNode[];
}

interface Stage {
  readonly name: string;
  readonly image: string;
  workdir: string | null;
  /** By absolute path. */
  readonly files: Map<string, FileNode>;
}

/** Follows FROM, ARG, WORKDIR, COPY and ADD of a Dockerfile, as far as they can be followed without building it. */
export function readDockerfile(text: string, context: readonly FileNode[]): ReadDockerfile {
  const values = new Map<string, string>();
  const stages: Stage[] = [];
  for (const [word, rest] of instructionsOf(text)) {
    const expanded = expand(rest, values);
    const stage = stages.at(-1);
    if (word === 'ARG' || word === 'ENV') {
      const match = /^([A-Za-z_]\w*)(?:=|\s+)(.*)$/.exec(expanded);
      if (match) values.set(match[1] ?? '', unquoted((match[2] ?? '').trim()));
    } else if (word === 'FROM') {
      const [image = '', , name = ''] = expanded.split(/\s+/).filter(part => !part.startsWith('--'));
      const earlier = stages.findLast(candidate => candidate.name === image);
      stages.push(
        earlier
          ? { ...earlier, name, files: new Map(earlier.files) }
          : { name, image, workdir: null, files: new Map() },
      );
    } else if (stage !== undefined && word === 'WORKDIR') {
      stage.workdir = posix.resolve(stage.workdir ?? '/', unquoted(expanded));
    } else if (stage !== undefined && (word === 'COPY' || word === 'ADD')) {
      for (const [path, file] of copied(expanded, stage.workdir ?? '/', context)) stage.files.set(path, file);
    }
  }
  const last = stages.at(-1);
  const workdir = last?.workdir ?? null;
  const below = workdir === null ? null : `${workdir}/`;
  const start = [...(last?.files ?? [])].flatMap(([path, file]) =>
    below !== null && path.startsWith(below) ? [{ ...file, path: path.slice(below.length) }] : [],
  );
  return { baseImage: last?.image ?? null, workdir, start };
}

/** The instructions of a Dockerfile, one after the other, without comments and line ends. */
export function* instructionsOf(text: string): Iterable<[word: string, rest: string]> {
  const joined = text
    .split(/\r?\n/)
    .filter(line => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ');
  for (const line of joined.split('\n')) {
    const match = /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line);
    if (match) yield [(match[1] ?? '').toUpperCase(), match[2] ?? ''];
  }
}

function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (whole, braced, fallback, bare) => {
    return values.get(braced ?? bare) ?? fallback ?? whole;
  });
}

function unquoted(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

/** What one COPY puts where, by absolute path. Patterns and other stages are left to the build. */
function copied(rest: string, workdir: string, context: readonly FileNode[]): [string, FileNode][] {
  if (/(?:^|\s)--from=/.test(rest)) return [];
  const words = rest.replaceAll(/--\w[\w-]*(?:=\S+)?\s+/g, '').trim();
  const parts = words.startsWith('[') ? jsonWords(words) : words.split(/\s+/).map(unquoted);
  const target = parts.at(-1) ?? '.';
  const sources = parts.slice(0, -1);
  const to = posix.resolve(workdir, target);
  const intoDirectory = target.endsWith('/') || sources.length > 1;
  return sources.flatMap(source => {
    const from = posix.normalize(source).replace(/^\/+/, '').replace(/\/$/, '');
    const one = context.find(file => file.path === from);
    const isDirectory = intoDirectory || to === workdir;
    if (one !== undefined)
      return [[isDirectory ? posix.join(to, posix.basename(from)) : to, one] as [string, FileNode]];
    const prefix = from === '.' || from === '' ? '' : `${from}/`;
    return context
      .filter(file => file.path.startsWith(prefix))
      .map(file => [posix.join(to, file.path.slice(prefix.length)), file] as [string, FileNode]);
  });
}

function jsonWords(text: string): string[] {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) ? words.map(String) : [];
  } catch {
    return [];
  }
}

/** Why agents can't be let work in a directory, or null. Sandboxes put one of their own in its place. */
export function workdirProblem(workdir: string): string | null {
  const taken =
    /^\/(?:usr|bin|sbin|lib|lib64|etc|dev|proc|sys|run|opt|tmp|var|logs|tests|solution|boot|home\/agent)(?:\/|$)/;
  if (!workdir.startsWith('/')) return `the working directory ${workdir} is not absolute`;
  if (workdir === '/') return 'agents would work in /, and only what lies in a directory of its own can be judged';
  return taken.test(workdir) ? `agents would work in ${workdir}, which is a place of the sandbox itself` : null;
}

import * as z from 'zod';
import { shellWord } from '../../base/shell.ts';
import { nodeRunners, type Runner } from '../testing/nodeRunners.ts';
import { cannotRun, type RepositoryFiles, resultAt, type TestSetup } from '../testing/testCommand.ts';
import { toMatcher } from '../testing/testPattern.ts';

const hint = 'Make "test" in package.json one command of node --test, vitest, jest or mocha, without shell operators.';

const Manifest = z.object({
  scripts: z.object({ test: z.string() }).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
  devDependencies: z.record(z.string(), z.string()).optional(),
});

/** Tests of package.json's script `test`. Null when there is no package.json. @throws CoachError `task.invalid` */
export async function detectNode(files: RepositoryFiles): Promise<TestSetup | null> {
  if (!files.paths.includes('package.json')) return null;
  const manifest = Manifest.safeParse(parseJson(await files.read('package.json'))).data;
  const script = manifest?.scripts?.test;
  if (script === undefined) throw cannotRun('package.json has no scripts.test', hint);
  const words = script.split(/\s+/).filter(word => word !== '');
  const unquoted = script.replaceAll(/'[^']*'|"[^"$`]*"/g, '');
  if (words[0] === 'npx') words.shift();
  const name = words[0] ?? '';
  const runner = Object.hasOwn(nodeRunners, name) ? nodeRunners[name] : undefined;
  if (runner === undefined || (name === 'node' && !words.includes('--test')) || /[&|;<>$`]/.test(unquoted)) {
    throw cannotRun(`scripts.test in package.json is "${script}"`, hint);
  }
  const { options, patterns } = splitWords(words.slice(1), runner);
  const tests = testFiles(files.paths, patterns, runner);
  if (tests.length === 0) throw cannotRun(`no file matches "${script}"`, hint);
  const wanted = { ...manifest?.dependencies, ...manifest?.devDependencies };
  if (name !== 'node' && !Object.hasOwn(wanted, name))
    throw cannotRun(`${name} is no dependency in package.json`, hint);
  const resultFile = resultAt(runner.report);
  return {
    command: [...runner.argv(options, resultFile), ...tests].map(shellWord).join(' '),
    resultFormat: runner.format,
    resultFile,
    baseImage: 'node:24-bookworm-slim',
    packages: [],
    dependencies: Object.keys(wanted).length === 0 ? null : lockedDependencies(files),
  };
}

function lockedDependencies({ paths }: RepositoryFiles): TestSetup['dependencies'] {
  const lockfile = ['npm-shrinkwrap.json', 'package-lock.json'].find(path => paths.includes(path));
  if (lockfile !== undefined) return { manager: 'npm', files: ['package.json', lockfile] };
  throw cannotRun(
    'package.json has dependencies, but there is no package-lock.json that says which versions',
    'Commit the lockfile that "npm install" writes, and record the task again.',
  );
}

function testFiles(paths: readonly string[], patterns: readonly string[], runner: Runner): string[] {
  const anyOf = (list: readonly string[]) => {
    const matchers = list.map(toMatcher);
    return (path: string) => matchers.some(matches => matches(path));
  };
  const isDefault = anyOf(runner.defaults);
  const isNamed = runner.picksByPart
    ? (path: string) => isDefault(path) && patterns.some(part => path.includes(part.replace(/^\.\//, '')))
    : anyOf(patterns);
  const isTest = patterns.length === 0 ? isDefault : isNamed;
  return paths.filter(path => !path.includes('node_modules/') && isTest(path)).sort();
}

function parseJson(content: Buffer | null): unknown {
  try {
    return JSON.parse(content?.toString() ?? '');
  } catch {
    return null;
  }
}

function splitWords(words: readonly string[], runner: Runner): { options: string[]; patterns: string[] } {
  const options: string[] = [];
  const patterns: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = (words[at] ?? '').replaceAll(/^["']|["']$/g, '');
    const value = runner.withValue.includes(word) ? [words[at + 1] ?? ''] : [];
    at += value.length;
    if (runner.dropped.test(word)) continue;
    if (word.startsWith('-')) options.push(word, ...value);
    else patterns.push(word);
  }
  return { options, patterns };
}

import { z } from 'zod';
import { CoachError } from '../../protocol/errors.ts';

/** How a repository's tests run, found out from its files. */
export interface TestSetup {
  /** Run by a shell in the repository. Leaves JUnit XML at `resultFile`. */
  readonly command: string;
  readonly baseImage: string;
  /** Installs what the tests need while the environment is built; null when nothing is needed. */
  readonly install: string | null;
}

export interface RepositoryFiles {
  readonly paths: readonly string[];
  read(path: string): Promise<Buffer | null>;
}

/** Where the verifier leaves what the tests said; Harbor's place. */
export const resultFile = '/logs/verifier/junit.xml';

/** What `node --test` runs when no file is named (Node's documentation, "Running tests from the command line"). */
const nodeDefaults = [
  '**/*.test.?(c|m)js',
  '**/*-test.?(c|m)js',
  '**/*_test.?(c|m)js',
  '**/test-*.?(c|m)js',
  '**/test.?(c|m)js',
  '**/test/**/*.?(c|m)js',
];

/** Options of node that take their value as the next word. */
const optionsWithValue = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
]);

/**
 * Finds the test command. Only node:test so far. The command names each test file, so that a file which an agent adds
 * is never run by the verifier.
 * @throws CoachError `task.invalid` with what to do when the tests can't be run here yet.
 */
export async function detectTestSetup(files: RepositoryFiles): Promise<TestSetup> {
  const script = await testScript(files);
  const words = script.split(/\s+/).filter(word => word !== '');
  const unquoted = script.replaceAll(/'[^']*'|"[^"$`]*"/g, '');
  if (words[0] !== 'node' || !words.includes('--test') || /[&|;<>$`]/.test(unquoted)) {
    throw unsupported(`scripts.test in package.json is "${script}"`);
  }
  const { options, patterns } = splitWords(words.slice(1));
  const wanted = (patterns.length > 0 ? patterns : nodeDefaults).map(toMatcher);
  const tests = files.paths
    .filter(path => !path.includes('node_modules/') && wanted.some(matches => matches(path)))
    .sort();
  if (tests.length === 0) throw unsupported(`no file matches "${script}"`);
  const reporter = ['--test-reporter=junit', `--test-reporter-destination=${resultFile}`];
  const command = ['node', ...options, '--test', ...reporter, ...tests].map(quote).join(' ');
  const locked = files.paths.includes('package-lock.json');
  return { command, baseImage: 'node:24-bookworm-slim', install: locked ? 'npm ci --no-audit --no-fund' : null };
}

async function testScript(files: RepositoryFiles): Promise<string> {
  const manifest = await files.read('package.json');
  if (manifest === null) throw unsupported('there is no package.json');
  const parsed = z.object({ scripts: z.object({ test: z.string() }) }).safeParse(parseJson(manifest));
  if (!parsed.success) throw unsupported('package.json has no scripts.test');
  return parsed.data.scripts.test;
}

function parseJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch {
    return null;
  }
}

function unsupported(found: string): CoachError {
  return new CoachError('task.invalid', `The tests can't be run as a task yet: ${found}.`, {
    hint: 'Tasks need tests of node:test for now: "test": "node --test" in package.json, one command, no shell operators.',
  });
}

function splitWords(words: readonly string[]): { options: string[]; patterns: string[] } {
  const options: string[] = [];
  const patterns: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = (words[at] ?? '').replaceAll(/^["']|["']$/g, '');
    if (word === '--watch' || word.startsWith('--test-reporter') || word === '--test') continue;
    if (!word.startsWith('-')) patterns.push(word);
    else {
      options.push(word);
      if (optionsWithValue.has(word)) options.push(words[++at] ?? '');
    }
  }
  return { options, patterns };
}

/** A file, a directory, or a glob of `*`, `**`, `?`, `{a,b}` and `?(a|b)`. */
function toMatcher(pattern: string): (path: string) => boolean {
  const plain = pattern.replace(/^\.\//, '').replace(/\/$/, '');
  const source = plain.replaceAll(
    /\?\(([^)]*)\)|\{([^}]*)\}|\*\*\/|\*\*|\*|\?|[.+^$()|[\]\\]/g,
    (token, optional, choice) => {
      if (optional !== undefined) return `(?:${optional})?`;
      if (choice !== undefined) return `(?:${choice.replaceAll('.', '\\.').replaceAll(',', '|')})`;
      return { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' }[token] ?? `\\${token}`;
    },
  );
  const whole = new RegExp(`^${source}$`);
  return path => whole.test(path) || (path.startsWith(`${plain}/`) && /\.[cm]?js$/.test(path));
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

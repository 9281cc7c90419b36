import { basename, dirname, extname } from 'node:path/posix';
import { isTestPath } from '../testing/testFiles.ts';
import { languageOf } from './language.ts';

/** More files than this are not mutated unasked: the mutants would be spread too thin. */
const maxSources = 20;

/** What holds no behaviour: configuration, and what is installed or generated. */
const notSource =
  /(?:^|\/)(?:node_modules|vendor|dist|build|\.[^/]+)\/|(?:^|\/)(?:[^/]*\.config\.[^/]+|setup\.py|__init__\.py)$/;

/**
 * The code that tests are about: sources of their language whose name stands in them (an import, mostly), for Go those
 * of their package; all sources when no test names one.
 */
export function testedSources(
  paths: readonly string[],
  tests: readonly { readonly path: string; readonly text: string }[],
): string[] {
  const languages = new Set(tests.map(({ path }) => languageOf(path)));
  const sources = paths.filter(path => {
    const language = languageOf(path);
    return language !== null && languages.has(language) && !isTestPath(path) && !notSource.test(path);
  });
  const named = sources.filter(source => tests.some(test => isAbout(test, source)));
  return (named.length > 0 ? named : sources).sort().slice(0, maxSources);
}

function isAbout(test: { readonly path: string; readonly text: string }, source: string): boolean {
  if (source.endsWith('.go')) return dirname(source) === dirname(test.path);
  const name = basename(source, extname(source));
  const stem = name === 'index' ? basename(dirname(source)) : name;
  return new RegExp(`(?<![\\w-])${stem.replaceAll(/[^\w]/g, '\\$&')}(?![\\w-])`).test(test.text);
}

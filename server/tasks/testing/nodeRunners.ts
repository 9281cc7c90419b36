import type { TestSetup } from './testCommand.ts';

/** A program that runs tests of Node: how it is called, and which files it takes. */
export interface Runner {
  readonly format: TestSetup['resultFormat'];
  readonly report: string;
  /** Without the test files. */
  argv(options: readonly string[], report: string): readonly string[];
  /** What it runs when no file is named. */
  readonly defaults: readonly string[];
  /** Options that take their value as the next word. */
  readonly withValue: readonly string[];
  /** Options that are ours to choose, or that make no sense here. */
  readonly dropped: RegExp;
  /** Its words pick test files by a part of their path, rather than name them. */
  readonly picksByPart?: true;
}

const anyScript = '?(c|m){js,ts,jsx,tsx}';

/** By the word that scripts.test calls them with. */
export const nodeRunners: Readonly<Record<string, Runner>> = {
  node: {
    format: 'junit',
    report: 'junit.xml',
    argv: (options, report) => [
      ...['node', ...options, '--test', '--test-reporter=junit', `--test-reporter-destination=${report}`],
    ],
    // Node's documentation, "Running tests from the command line".
    defaults: ['.test', '-test', '_test']
      .map(end => `**/*${end}.?(c|m)js`)
      .concat(['**/test-*.?(c|m)js', '**/test.?(c|m)js', '**/test/**/*.?(c|m)js']),
    withValue: [
      '--import',
      '--require',
      '-r',
      '--loader',
      '--experimental-loader',
      '--conditions',
      '-C',
      '--test-reporter',
      '--test-reporter-destination',
    ],
    dropped: /^--(?:test$|watch$|test-reporter)/,
  },
  vitest: {
    format: 'jest',
    report: 'vitest.json',
    argv: (options, report) => [
      ...['node', '/node_modules/vitest/vitest.mjs', 'run', ...options, '--reporter=json', `--outputFile=${report}`],
    ],
    defaults: ['test', 'spec'].map(end => `**/*.${end}.${anyScript}`),
    withValue: ['--config', '-c', '--project', '--environment', '--reporter', '--outputFile'],
    dropped: /^(?:run$|--(?:watch|run|reporter|outputFile|coverage|ui)\b)/,
    picksByPart: true,
  },
  jest: {
    format: 'jest',
    report: 'jest.json',
    argv: (options, report) => [
      ...[
        'node',
        '/node_modules/jest/bin/jest.js',
        ...options,
        '--ci',
        '--json',
        `--outputFile=${report}`,
        '--runTestsByPath',
      ],
    ],
    defaults: [`**/*.test.${anyScript}`, `**/*.spec.${anyScript}`, `**/__tests__/**/*.${anyScript}`],
    withValue: ['--config', '-c', '--selectProjects', '--reporters', '--outputFile'],
    dropped: /^--(?:watch|ci|json|outputFile|coverage|reporters)/,
  },
  mocha: {
    format: 'mocha',
    report: 'mocha.json',
    argv: (options, report) => [
      ...['node', '/node_modules/mocha/bin/mocha.js', ...options],
      ...['--reporter', 'json', '--reporter-option', `output=${report}`],
    ],
    defaults: ['test/*.{js,cjs,mjs}'],
    withValue: ['--require', '-r', '--config', '--import', '--ui', '-u', '--timeout', '-t', '--reporter', '-R'],
    dropped: /^(?:--watch|-w$|--reporter|-R)/,
  },
};

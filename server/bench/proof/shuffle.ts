import { shellWord } from '../../base/shell.ts';
import type { TestVerifier } from '../../tasks/preparedTask.ts';

/** A test command that runs the same tests in another order, and by what means. */
export interface ShuffledCommand {
  readonly command: string;
  readonly means: string;
}

/**
 * The test command in an order that `seed` decides: by the runner's own option where it has one, by ours in pytest, by
 * the order of files or targets in the others. Null for a command of another shape than `task prepare` writes.
 * @param seed positive
 */
export function shuffledCommand(
  verifier: TestVerifier,
  tests: readonly string[],
  seed: number,
): ShuffledCommand | null {
  const shuffle = shufflers.find(({ applies }) => applies.test(verifier.command));
  if (shuffle === undefined) return null;
  const command = shuffle.command(verifier.command, tests, seed);
  return command === verifier.command ? null : { command, means: shuffle.means };
}

interface Shuffler {
  readonly applies: RegExp;
  readonly means: string;
  command(command: string, tests: readonly string[], seed: number): string;
}

const shufflers: readonly Shuffler[] = [
  {
    applies: /pytest\.main\(\)/,
    means: 'modules, classes and tests shuffled',
    command: (command, _tests, seed) =>
      command.replace('sys.exit(pytest.main())', `\n${pytestOrder(seed)}\nsys.exit(pytest.main(plugins=[Order()]))`),
  },
  {
    applies: /\/vitest\.mjs run\b/,
    means: 'vitest --sequence.shuffle',
    command: (command, _tests, seed) =>
      command.replace('/vitest.mjs run', `/vitest.mjs run --sequence.shuffle --sequence.seed=${seed}`),
  },
  {
    applies: /^node \/node_modules\/jest\/bin\/jest\.js\b/,
    means: 'jest --randomize, from jest 29.5 on',
    command: (command, _tests, seed) =>
      withOptional(command, 'node /node_modules/jest/bin/jest.js', {
        probe: 'node /node_modules/jest/bin/jest.js --help',
        options: `--randomize --seed=${seed}`,
      }),
  },
  {
    applies: /^node .*--test\b/,
    means: 'node --test-randomize, where this Node has it',
    command: (command, _tests, seed) =>
      withOptional(command, 'node', { probe: 'node --help', options: `--test-randomize --test-random-seed=${seed}` }),
  },
  {
    applies: /^node \/node_modules\/mocha\//,
    means: 'test files shuffled',
    command: (command, tests, seed) => shuffledWords(command, new Set(tests), seed),
  },
  {
    applies: /\bgo test -json -count=1\b/,
    means: 'go test -shuffle',
    command: (command, _tests, seed) => command.replace('-count=1', `-count=1 -shuffle=${seed}`),
  },
  {
    applies: /^code=0; for target in .*; do cargo test\b/,
    means: 'test targets shuffled',
    command: (command, _tests, seed) =>
      command.replace(/for target in (.*?); do/, (_, targets: string) => {
        return `for target in ${shuffled(targets.split(' '), seed).join(' ')}; do`;
      }),
  },
  {
    applies: /\bmvn\b.*\btest\b/,
    means: 'surefire.runOrder=random',
    command: command => command.replace(/\bmvn\b/, 'mvn -Dsurefire.runOrder=random'),
  },
];

/** An option that only newer versions have: those say so in their help. */
function withOptional(
  command: string,
  program: string,
  { probe, options }: { probe: string; options: string },
): string {
  const name = options.split(/[ =]/)[0] ?? '';
  const asked = `order=; ${probe} 2>/dev/null | grep -q -e ${name} && order='${options}'; `;
  return `${asked}${command.replace(program, `${program} $order`)}`;
}

/** The words of a command that are tests change places among each other. */
function shuffledWords(command: string, tests: ReadonlySet<string>, seed: number): string {
  const words = command.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? [];
  const places = words.flatMap((word, index) => (tests.has(unquoted(word)) ? [index] : []));
  const order = shuffled(places, seed);
  return words
    .map((word, index) => (places.includes(index) ? (words[order[places.indexOf(index)] ?? index] ?? word) : word))
    .join(' ');
}

function unquoted(word: string): string {
  const plain = word.replaceAll("'\\''", '\0').replaceAll("'", '').replaceAll('\0', "'");
  return shellWord(plain) === word ? plain : word;
}

/** Fisher and Yates, with the multiplicative generator of Park and Miller (1988): the same order for the same seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const list = [...items];
  let state = (seed * 48_271) % 2_147_483_647;
  for (let at = list.length - 1; at > 0; at--) {
    state = (state * 48_271) % 2_147_483_647;
    const other = state % (at + 1);
    [list[at], list[other]] = [list[other] as T, list[at] as T];
  }
  return list;
}

/** Modules change places, then classes in a module, then tests in a class: what they share is still set up once. */
function pytestOrder(seed: number): string {
  return `import random
class Order:
    def pytest_collection_modifyitems(self, items):
        chance = random.Random(${seed})
        places = {}
        def place(item):
            parts = item.nodeid.split("::")
            return [places.setdefault("::".join(parts[:end]), chance.random()) for end in range(1, len(parts) + 1)]
        items.sort(key=place)`;
}

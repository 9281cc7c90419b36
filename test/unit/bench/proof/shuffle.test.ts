import { describe, expect, it } from 'vitest';
import { shuffledCommand } from '../../../../server/bench/proof/shuffle.ts';
import { detectTestSetup } from '../../../../server/tasks/environments/testSetup.ts';
import type { TestVerifier } from '../../../../server/tasks/preparedTask.ts';

/** The verifier that `task prepare` makes of a repository with these files. */
async function aVerifier(
  files: Readonly<Record<string, string>>,
): Promise<{ verifier: TestVerifier; paths: string[] }> {
  const paths = Object.keys(files);
  const setup = await detectTestSetup({ paths, read: async path => Buffer.from(files[path] ?? '') });
  const verifier: TestVerifier = {
    ...{ kind: 'tests', timeoutSec: 60, failToPass: [], passToPass: [], mustFail: [], exitsCleanly: false },
    ...setup,
  };
  return { verifier, paths };
}

async function orderOf(files: Readonly<Record<string, string>>, seed: number): Promise<string> {
  const { verifier, paths } = await aVerifier(files);
  return shuffledCommand(verifier, paths, seed)?.command ?? '';
}

const node = (script: string, dependency?: string) => ({
  'package.json': JSON.stringify({
    scripts: { test: script },
    devDependencies: dependency === undefined ? {} : { [dependency]: '1.0.0' },
  }),
  'package-lock.json': '{}',
});

describe('the order of tests', () => {
  it('is left to the option of those runners that have one', async () => {
    const go = { 'go.mod': 'module a\n\ngo 1.19\n', 'a_test.go': '' };
    expect(await orderOf(go, 7)).toContain('go test -json -count=1 -shuffle=7 .');
    const vitest = { ...node('vitest run', 'vitest'), 'a.test.ts': '' };
    expect(await orderOf(vitest, 7)).toContain('vitest.mjs run --sequence.shuffle --sequence.seed=7 ');
    const jest = { ...node('jest', 'jest'), 'a.test.js': '' };
    expect(await orderOf(jest, 7)).toMatch(
      /^order=; .*grep -q -e --randomize && order='--randomize --seed=7'; node \/node_modules\/jest\/bin\/jest\.js \$order /,
    );
    const plain = { ...node('node --test'), 'a.test.js': '' };
    expect(await orderOf(plain, 7)).toMatch(/order='--test-randomize --test-random-seed=7'; node \$order --test /);
  });

  it('is that of the files where a runner has no option, the same for the same seed', async () => {
    const files = Object.fromEntries(['a', 'b', 'c', "d's", 'e'].map(name => [`test/${name}.js`, '']));
    const mocha = { ...node('mocha', 'mocha'), ...files };
    const { verifier, paths } = await aVerifier(mocha);
    const orders = [1, 2, 3, 4, 5].map(seed => shuffledCommand(verifier, paths, seed)?.command ?? verifier.command);
    expect(new Set(orders).size).toBeGreaterThan(2);
    const words = (command: string) => command.split(' ').toSorted();
    for (const order of orders) expect(words(order)).toEqual(words(verifier.command));
    expect(await orderOf(mocha, 3)).toBe(orders[2]);
    const rust = {
      'Cargo.toml': '[package]\n',
      ...Object.fromEntries(['a', 'b', 'c', 'd'].map(name => [`tests/${name}.rs`, ''])),
    };
    expect(await orderOf(rust, 2)).toMatch(/^code=0; for target in (--test=[abcd] ?){4}; do cargo test/);
  });

  it('is not touched in a command of another shape', async () => {
    const { verifier } = await aVerifier({ ...node('node --test'), 'a.test.js': '' });
    expect(shuffledCommand({ ...verifier, command: 'make test' }, [], 1)).toBeNull();
  });
});

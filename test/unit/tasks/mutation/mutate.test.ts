import { describe, expect, it } from 'vitest';
import { applyMutant, mutantName, respaced } from '../../../../server/tasks/mutation/mutant.ts';
import { mutantsOf } from '../../../../server/tasks/mutation/mutate.ts';
import { testedSources } from '../../../../server/tasks/mutation/sources.ts';

const faults = (path: string, text: string) =>
  mutantsOf([path], () => text, 1000).map(({ operator, before, after }) => `${operator}: ${before} → ${after}`);

describe('the mutator', () => {
  it('plants comparison, boolean, arithmetic, negation, return and constant faults in JavaScript', () => {
    expect(faults('a.js', 'function f(a, b) {\n  if (a < b && !b) return a + 1;\n  return "x";\n}\n')).toEqual([
      'negation: a < b && !b → !(a < b && !b)',
      'comparison: < → <=',
      'boolean: && → ||',
      'return: a + 1 → undefined',
      'arithmetic: + → -',
      'constant: 1 → 2',
      'return: "x" → undefined',
      'constant: "x" → ""',
    ]);
  });

  it('does the same in Python and, but for returns, in Go', () => {
    expect(faults('a.py', 'def f(a, b):\n    if a < b and not b:\n        return a // 2\n')).toEqual([
      'negation: a < b and not b → not (a < b and not b)',
      'comparison: < → <=',
      'boolean: and → or',
      'return: a // 2 → None',
      'arithmetic: // → *',
      'constant: 2 → 3',
    ]);
    expect(faults('a.go', 'func f(a int) int {\n\tif b := a; b > 1 {\n\t\treturn b * 2\n\t}\n\treturn a\n}\n')).toEqual(
      ['negation: b > 1 → !(b > 1)', 'comparison: > → >=', 'constant: 1 → 2', 'arithmetic: * → /', 'constant: 2 → 3'],
    );
  });

  it('leaves comments, imports, documentation, types, tags, templates and regular expressions alone', () => {
    const script = [
      "import x from './x.js';",
      '// a < b && 1',
      '/* return 1 + 2; */',
      'const list: Array<Map<string, T>> = f<T>(x);',
      'const tag = <Part name={x} />;',
      'const pattern = /1 < 2 && "3"/g;',
      'const unary = [-x, +x, ...y];',
      'const t = o.true;',
    ].join('\n');
    expect(faults('a.tsx', script)).toEqual([]);
    expect(
      faults('a.py', '"""1 < 2 and 3"""\nimport os\nfrom a import b\nf(*args, **kw)\nx = -y\nz = f"{1 + 2}"\n'),
    ).toEqual([]);
    expect(
      faults('a.go', 'package a\n\nimport (\n\t"fmt"\n)\n\n// 1 < 2\nvar x = `1 < 2`[:]\nvar c = \'a\'\n'),
    ).toEqual(['constant: `1 < 2` → ``']);
  });

  it('makes the same mutants of the same text, spread over it, only of known languages and of the lines named', () => {
    const text = Array.from({ length: 100 }, (_, index) => `x(${index});`).join('\n');
    const some = mutantsOf(['a.js'], () => text, 10);
    expect(some).toEqual(mutantsOf(['a.js'], () => text, 10));
    expect(some.map(({ line }) => line)).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91]);
    expect(mutantsOf(['a.js:3-4'], () => text, 10).map(({ line }) => line)).toEqual([3, 4]);
    expect(mutantsOf(['a.rs', 'missing.js'], path => (path === 'a.rs' ? text : null), 10)).toEqual([]);
  });

  it('plants exactly one fault, and none in a text that is another one', () => {
    const text = 'export const f = a => a + 1;\n';
    const [first] = mutantsOf(['a.js'], () => text, 10);
    if (first === undefined) throw new Error('no mutant');
    expect(applyMutant(text, first)).toBe('export const f = a => a - 1;\n');
    expect(applyMutant(`// changed\n${text}`, first)).toBeNull();
    expect(mutantName(first)).toBe('mutant a.js:1 > arithmetic > + → -');
    expect(respaced(text, [first.offset, first.offset])).toBe('export const f = a => a  + 1;\n');
  });

  it('ends on any text', () => {
    for (const text of [
      'return',
      'if (',
      '"open',
      '`${',
      '/* open',
      'return (((',
      'if x',
      '\u0000\ud800',
      '/'.repeat(2000),
      '('.repeat(2000),
    ]) {
      for (const path of ['a.js', 'a.py', 'a.go']) expect(() => faults(path, text)).not.toThrow();
    }
  });
});

describe('the code that tests are about', () => {
  it('is what they import, of their language; for Go their package; else all of it', () => {
    const paths = [
      'src/sums.js',
      'src/other.js',
      'src/sums.py',
      'vite.config.js',
      'test/sums.test.js',
      'a/a.go',
      'b/b.go',
      'x.d.ts',
    ];
    const test = (path: string, text: string) => [{ path, text }];
    expect(testedSources(paths, test('test/sums.test.js', "import '../src/sums.js';"))).toEqual(['src/sums.js']);
    expect(testedSources(paths, test('test/all.test.js', 'run();'))).toEqual(['src/other.js', 'src/sums.js']);
    expect(testedSources(paths, test('a/a_test.go', 'package a'))).toEqual(['a/a.go']);
    expect(testedSources(paths, test('tests/it.rs', 'sums'))).toEqual([]);
  });
});

import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { expect, it } from 'vitest';
import { parseTomlTree } from '../../../server/language/toml.ts';
import { toValue, walk } from '../../../server/language/tree.ts';

const key = fc.oneof(
  fc.stringMatching(/^[a-z0-9_-]{1,6}$/),
  fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }),
);
const scalar = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map(date => date.toISOString()),
);
const { table } = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    tie('table'),
    fc.array(tie('table'), { maxLength: 3 }),
  ),
  table: fc.dictionary(
    key.filter(name => name !== '__proto__'),
    tie('value'),
    { maxKeys: 4 },
  ),
}));

it('reads the values that smol-toml reads, whatever is written', () => {
  fc.assert(
    fc.property(table, fc.boolean(), (value, crlf) => {
      const text = stringify(value as Record<string, unknown>).replaceAll('\n', crlf ? '\r\n' : '\n');
      const { root, faults } = parseTomlTree(text);
      expect(faults).toEqual([]);
      expect(JSON.stringify(toValue(root))).toBe(JSON.stringify(parse(text)));
    }),
    { numRuns: 300 },
  );
});

it('never fails on what is half written, and finds a fault wherever smol-toml does', () => {
  fc.assert(
    fc.property(table, fc.nat(), fc.nat({ max: 5 }), fc.string({ maxLength: 3 }), (value, place, length, typed) => {
      const whole = stringify(value as Record<string, unknown>);
      const start = whole.length === 0 ? 0 : place % whole.length;
      const text = whole.slice(0, start) + typed + whole.slice(start + length);
      const { root, faults } = parseTomlTree(text);
      let isToml = true;
      try {
        parse(text);
      } catch {
        isToml = false;
      }
      expect(faults.length === 0).toBe(isToml);
      for (const { node } of walk(root))
        expect(node.span.start <= node.span.end && node.span.end <= text.length).toBe(true);
      for (const { span } of faults) expect(span.start <= span.end && span.end <= text.length).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it.each([
  ['a.b = 1\na.c = 2\n[d.e]\nf = 3\n[d]\ng = 4\n'],
  ['s = """\nlong ""quoted"" text"""\nl = \'\'\'raw \\ text\'\'\'\'\n'],
  ['e = """a\\\n   b"""\n'],
  ['n = [ [1, 2], [], # comment ] \n ["a]"], ]\n'],
  ['t = { a = 1, b.c = "x", d = [{ e = 2 }] }\n'],
  ['"quoted key".\'other\' = 0x1F\n"" = inf\n'],
  ['[[a]]\nb = 1\n[a.c]\nd = 2\n[[a.e]]\nf = 3\n[[a]]\n'],
  ['when = 1979-05-27 07:32:00Z\nday = 1979-05-27\nat = 07:32:00\n'],
  ['\ufeffkey = "with a mark of byte order"'],
])('reads %j as smol-toml does', text => {
  const { root, faults } = parseTomlTree(text);
  expect(faults).toEqual([]);
  expect(JSON.parse(JSON.stringify(toValue(root)))).toEqual(JSON.parse(JSON.stringify(parse(text))));
});

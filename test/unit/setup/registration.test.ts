import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { insertionOf, withoutInsertion } from '../../../server/setup/insertion.ts';
import type { McpCommand } from '../../../server/setup/mcpCommand.ts';
import { registrations } from '../../../server/setup/registration.ts';

const command: McpCommand = { command: '/n/node', args: ['/x y/cli.cjs', 'mcp'], env: { COACH_HOME: '/h "q"' } };
const byId = (id: string) => {
  const found = registrations.find(registration => registration.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};

const files: [id: string, what: string, text: string][] = [
  ['codex', 'an empty file', ''],
  ['codex', 'comments and no newline at the end', '# mine\nmodel = "gpt-5.5" # why'],
  ['codex', 'Windows line ends', 'model = "x"\r\n\r\n[tools]\r\nweb = true\r\n'],
  ['codex', 'another server', '[mcp_servers.other]\ncommand = "o"\n\n[mcp_servers.other.env]\nA = "1"\n'],
  ['claude', 'no servers', '{\n  "numStartups": 3\n}\n'],
  ['claude', 'one line', '{"a":1,"mcpServers":{},"z":[1, 2]}'],
  ['claude', 'one line with servers', '{"mcpServers":{"x":{"command":"y"}},"z":1}'],
  [
    'gemini',
    'tabs, comments and trailing commas',
    '{\n\t// c\n\t"mcpServers": {\n\t\t"x": { "command": "y" }, // w\n\t},\n}\n',
  ],
  ['gemini', 'a byte order mark', '\uFEFF{ "theme": "x" }\n'],
  ['opencode', 'a schema', '{\r\n  "$schema": "https://opencode.ai/config.json"\r\n}\r\n'],
  ['vscode', 'inputs', '{\n    "servers": {\n        "a": {}\n    },\n    "inputs": []\n}'],
];

describe('registering with an agent', () => {
  it.each(files)('%s: puts one text into %s, which reads back and comes out again', (id, _what, text) => {
    const registration = byId(id);
    const after = registration.add(text, command);
    expect(registration.read(after)).toEqual(command);
    expect(registration.read(text)).toBeNull();
    const insertion = insertionOf(text, after);
    expect(insertion).not.toBeNull();
    expect(insertion && withoutInsertion(after, insertion)).toBe(text);
    expect(registration.read(registration.remove(after))).toBeNull();
  });

  it.each(['codex', 'claude', 'gemini', 'qwen', 'opencode', 'vscode'])('%s: keeps what others wrote meanwhile', id => {
    const registration = byId(id);
    const first = registration.add('', command);
    const later =
      id === 'codex' ? `${first}\n[mcp_servers.other]\ncommand = "o"\n` : first.replace('{', '{ "mine": [1],');
    const removed = registration.remove(later);
    expect(removed).toContain(id === 'codex' ? 'command = "o"' : '"mine": [1]');
    expect(removed).not.toContain('codex_coach');
  });

  const ours = '"codex_coach": { "command": "x" }';
  it.each([
    [`{ "servers": { ${ours} }, }`, '{ }'],
    [`{\n  "servers": {\n    ${ours},\n  },\n}\n`, '{\n}\n'],
    [`{"a":1,"servers":{${ours},"z":2}}`, '{"a":1,"servers":{"z":2}}'],
    [`{ "servers": { "a": 1, ${ours} } }`, '{ "servers": { "a": 1 } }'],
    [`{ "servers": { "a": 1 /* c */, /* d */ ${ours} /* e */ } }`, '{ "servers": { "a": 1 /* c */ /* d */ /* e */ } }'],
    [
      `{ // top\n  "servers": { // mine\n    ${ours}, // ours\n    // keep me\n    "a": {}\n  }, // tail\n  "b": 1\n}`,
      '{ // top\n  "servers": { // mine\n    // ours\n    // keep me\n    "a": {}\n  }, // tail\n  "b": 1\n}',
    ],
    [
      `{\r\n  "servers": {\r\n    "a": {}, // a\r\n    ${ours}\r\n    // last\r\n  }\r\n}`,
      '{\r\n  "servers": {\r\n    "a": {} // a\r\n    // last\r\n  }\r\n}',
    ],
    [`{ "servers": { /* none yet */ ${ours} } }`, '{ "servers": { /* none yet */ } }'],
  ])('vscode: keeps the comments of others around an entry that was rewritten: %j', (text, expected) => {
    expect(byId('vscode').remove(text)).toBe(expected);
    expect(byId('vscode').besides(expected)).toEqual(byId('vscode').besides(text));
  });

  it('codex: keeps the comments of others around a table that was rewritten', () => {
    const table = '[mcp_servers.codex_coach]\ncommand = "x" # ours\n\n[mcp_servers.codex_coach.env]\nA = "1"\n';
    const removed = byId('codex').remove(
      `model = "m"\n\n# not mine\n\n${table}\n# ask Bob before you change this!\n[profiles.team]\nmodel = "o"\n\n${table}# end\n`,
    );
    expect(removed).toBe(
      'model = "m"\n\n# not mine\n\n# ask Bob before you change this!\n[profiles.team]\nmodel = "o"\n# end\n',
    );
  });

  it.each(files)('%s: says of %s what others wrote, with our entry and without', (id, _what, text) => {
    const registration = byId(id);
    expect(registration.besides(registration.add(text, command))).toEqual(registration.besides(text));
  });

  it('refuses what it can not edit, and says where', () => {
    expect(() => byId('claude').add('{\n  "a": 1,\n  oops\n}', command)).toThrow(/line 3/);
    expect(() => byId('claude').add('[]', command)).toThrow(/no JSON object/);
    expect(() => byId('codex').add('model = ', command)).toThrow();
    expect(() => byId('codex').add('mcp_servers = { a = { command = "b" } }\n', command)).toThrow(/inline table/);
  });

  it('sees an entry of ours that has another shape', () => {
    expect(byId('gemini').read('{"mcpServers":{"codex_coach":{"url":"http://x"}}}')).toMatchObject({ command: '' });
  });
});

it('takes its entry out of any JSON object with comments, and nothing else', () => {
  const gap = fc.constantFrom('', ' ', '\n  ', '/* , */', ' // {\n', '\r\n\t');
  const entry = fc.record({ before: gap, colon: gap, after: gap });
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.boolean(),
      gap,
      (entries, at, comma, end) => {
        const written = entries.map(({ before, colon, after }, index) => {
          const name = index === at % entries.length ? 'codex_coach' : `s${index}`;
          return `${before}"${name}":${colon}{ "command": "x" }${after}`;
        });
        const text = `{"servers": {${written.join(',')}${comma ? ',' : ''}${end}}, "b": 1${end}}`;
        const removed = byId('vscode').remove(text);
        const comments = (all: string) => all.match(/\/\* , \*\/|\/\/ \{/g)?.length ?? 0;
        const inside = comments(entries[at % entries.length]?.colon ?? '');
        expect(byId('vscode').read(removed)).toBeNull();
        expect(byId('vscode').besides(removed)).toEqual(byId('vscode').besides(text));
        expect(comments(removed)).toBe(comments(text) - inside);
      },
    ),
  );
});

it('finds an insertion where it stands by now, unless that could be several places', () => {
  const insertion = { offset: 1, inserted: 'ours' };
  expect(withoutInsertion('later, ours!', insertion)).toBe('later, !');
  expect(withoutInsertion('ours, ours', insertion)).toBeNull();
  expect(withoutInsertion('xours, ours', insertion)).toBe('x, ours');
  expect(withoutInsertion('our', insertion)).toBeNull();
});

it('finds any single insertion, and undoes it', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(), (text, inserted, at) => {
      const offset = at % (text.length + 1);
      const after = text.slice(0, offset) + inserted + text.slice(offset);
      const found = insertionOf(text, after);
      return found !== null && withoutInsertion(after, found) === text;
    }),
  );
});

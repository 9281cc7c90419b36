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

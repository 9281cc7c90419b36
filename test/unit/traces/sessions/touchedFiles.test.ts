import { describe, expect, it } from 'vitest';
import { touchedFiles } from '../../../../server/traces/sessions/touchedFiles.ts';

const call = (toolName: string, input: unknown) =>
  touchedFiles({ toolName, text: typeof input === 'string' ? input : JSON.stringify(input) });

describe('files that a tool call names', () => {
  it('of a patch, each with the first line that it adds', () => {
    const patch = [
      '*** Begin Patch',
      '*** Update File: src/a.ts',
      '@@',
      ' const before = 1;',
      '-  old();',
      '+  {',
      '+  fresh(1);',
      '*** Update File: src/b.ts',
      ' kept(2);',
      '-  gone();',
      '*** End Patch',
    ].join('\n');
    expect(call('apply_patch', { input: patch })).toEqual([
      { path: 'src/a.ts', change: 'edited', line: null, text: 'fresh(1);' },
      { path: 'src/b.ts', change: 'edited', line: null, text: 'kept(2);' },
    ]);
  });

  it('of editing tools, with what they wrote', () => {
    const edit = { file_path: '/w/src/a.ts', old_string: 'one', new_string: '\n  two(3);\n' };
    expect(call('Edit', edit)).toEqual([{ path: '/w/src/a.ts', change: 'edited', line: null, text: 'two(3);' }]);
    const edits = { file_path: '/w/src/a.ts', edits: [{ old_string: 'x', new_string: 'first()' }] };
    expect(call('MultiEdit', edits)).toMatchObject([{ change: 'edited', text: 'first()' }]);
  });

  it('of reading tools, with the line they begin at, however it is counted', () => {
    expect(call('Read', { file_path: '/w/a.ts', offset: 20, limit: 9 })).toMatchObject([{ line: 20, change: 'read' }]);
    expect(call('read_file', { absolute_path: '/w/a.ts', offset: 19 })).toMatchObject([{ line: 20 }]);
    expect(call('view', { path: 'a.ts', view_range: [5, 9] })).toMatchObject([{ line: 5 }]);
    expect(call('Read', { file_path: '/w/a.ts' })).toMatchObject([{ line: null }]);
  });

  it('of shell commands that show a file', () => {
    const shell = { cmd: "sed -n '20,88p' src/a.ts && cat package.json | head -n 5 README.md; nl -ba src/a.ts" };
    expect(call('exec_command', shell)).toEqual([
      { path: 'src/a.ts', change: 'read', line: 20, text: null },
      { path: 'package.json', change: 'read', line: null, text: null },
      { path: 'README.md', change: 'read', line: null, text: null },
    ]);
  });

  it('of a shell that is given its command', () => {
    expect(call('shell', { command: ['bash', '-lc', "sed -n '3p' src/a.ts"] })).toMatchObject([
      { path: 'src/a.ts', line: 3 },
    ]);
  });

  it('none of a search, and none of what only looks like a call', () => {
    expect(call('exec_command', { cmd: 'rg -n cat src' })).toEqual([]);
    expect(call('exec_command', 'not json')).toEqual([]);
    expect(call('Read', { file_path: 7 })).toEqual([]);
  });

  it('takes no longer than a moment for a command of a megabyte', () => {
    expect(call('exec_command', { cmd: `cat ${'-a '.repeat(300_000)}` })).toEqual([]);
  });
});

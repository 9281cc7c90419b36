import { describe, expect, it } from 'vitest';
import { wholeSession } from '../../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../../server/traces/sessions/sessionReport.ts';
import { filesEditedBy, reportsFailure } from '../../../../server/traces/sessions/toolUse.ts';
import { anExchange, aReader, aRichSession } from './aReader.ts';

describe('what a session came to', () => {
  it('counts turns, retries, errors, tools with their failures, and changed files', () => {
    expect(reportOf(wholeSession(aRichSession(), 'session-1'))).toMatchObject({
      turns: 1,
      retries: 1,
      errors: 1,
      tools: [
        { name: 'exec_command', calls: 2, failures: 1 },
        { name: 'apply_patch', calls: 1, failures: 0 },
      ],
      files: [{ path: 'src/billing/refund.ts', edits: 1 }],
      firstByteMs: { p50: 1002, p95: 1004 },
      modelMs: 16_000,
      elapsedMs: 34_000,
    });
  });

  it('counts as retried what was tried again, not what follows a failure', () => {
    const exchanges = [anExchange(1, { error: 'Overloaded.' }), anExchange(2)];
    expect(reportOf(wholeSession(aReader(exchanges, []), 'session-1'))).toMatchObject({ errors: 1, retries: 0 });
  });

  it('names the longest steps: waiting for the model, and tools between two requests', () => {
    const exchanges = [anExchange(1), anExchange(2, { durationMs: 9000 }), anExchange(3, { durationMs: 500 })];
    const { longest } = reportOf(wholeSession(aReader(exchanges, aRichSession().conversation('')), 'session-1'));
    expect(longest.map(({ kind, name, durationMs }) => [kind, name, durationMs])).toEqual([
      ['model', 'gpt-5.5', 9000],
      ['tool', 'exec_command', 6000],
      ['model', 'gpt-5.5', 4000],
      ['tool', 'apply_patch, exec_command', 1000],
      ['model', 'gpt-5.5', 500],
    ]);
  });

  it('takes a session of more exchanges than a call has room for arguments', () => {
    const exchanges = Array.from({ length: 200_000 }, (_, index) => anExchange(index + 1));
    expect(reportOf(wholeSession(aReader(exchanges, []), 'session-1')).elapsedMs).toBe(199_999 * 10_000 + 4000);
  });

  it('has no latency and no time when nothing was asked', () => {
    expect(reportOf(wholeSession(aReader([], []), 'session-1'))).toMatchObject({
      turns: 0,
      firstByteMs: null,
      modelMs: 0,
      elapsedMs: 0,
      longest: [],
    });
  });
});

describe('a tool call', () => {
  it.each([
    [
      'apply_patch',
      '*** Begin Patch\n*** Add File: a.txt\n+x\n*** Update File: b.txt\n*** Move to: c.txt\n*** End Patch',
      ['a.txt', 'b.txt', 'c.txt'],
    ],
    [
      'exec_command',
      JSON.stringify({ cmd: "apply_patch <<'EOF'\n*** Begin Patch\n*** Delete File: old.txt\n*** End Patch\nEOF" }),
      ['old.txt'],
    ],
    [
      'shell',
      JSON.stringify({ command: ['apply_patch', '*** Begin Patch\n*** Add File: d.txt\n+x\n*** End Patch'] }),
      ['d.txt'],
    ],
    ['Edit', JSON.stringify({ file_path: '/repo/src/a.ts', old_string: 'a', new_string: 'b' }), ['/repo/src/a.ts']],
    ['write', JSON.stringify({ filePath: 'notes.md', content: '' }), ['notes.md']],
    ['str_replace_based_edit_tool', JSON.stringify({ command: 'view', path: 'a.ts' }), []],
    ['Read', JSON.stringify({ file_path: '/repo/src/a.ts' }), []],
    ['exec_command', '{"cmd":"cat a.txt"}', []],
    ['apply_patch', 'not a patch', []],
  ])('%s of %j changes %j', (toolName, text, files) => {
    expect(filesEditedBy({ toolName, text })).toEqual(files);
  });

  it.each([
    ['Chunk ID: 1\nProcess exited with code 1\nOutput:\n', true],
    ['Chunk ID: 1\nProcess exited with code 0\nOutput:\nError: not mine', false],
    ['{"output":"x","metadata":{"exit_code":2}}', true],
    ['{"output":"Error","metadata":{"exit_code":0}}', false],
    ['apply_patch verification failed: no such file', true],
    ['<tool_use_error>File not found</tool_use_error>', true],
    ['Error: no such tool', true],
    ['errors: 0', false],
    ['', false],
    ['{"error":"File not found: a.ts"}', true],
    ['{"output":"{}","error":null}', false],
  ])('that answers %j has failed: %s', (output, failed) => {
    expect(reportsFailure(output)).toBe(failed);
  });
});

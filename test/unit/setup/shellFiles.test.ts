import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { shellLines } from '../../../server/setup/shellFiles.ts';
import { temporaryDirectory } from '../../temporary.ts';

function linesOf(text: string) {
  const file = join(temporaryDirectory(), 'rc');
  writeFileSync(file, text);
  return shellLines(file, ['OPENAI_BASE_URL', 'HTTPS_PROXY'], ['codex', 'claude']).map(({ line, kind, name, value }) =>
    kind === 'variable' ? `${line} ${name}=${value}` : `${line} ${name}`,
  );
}

it.each([
  ['export OPENAI_BASE_URL="http://127.0.0.1:9/v1"', ['1 OPENAI_BASE_URL=http://127.0.0.1:9/v1']],
  ["  export A=1 HTTPS_PROXY='http://p:1'; echo", ['1 HTTPS_PROXY=http://p:1']],
  ['if true; then export HTTPS_PROXY=http://p:1; fi', ['1 HTTPS_PROXY=http://p:1']],
  ['\nset -gx OPENAI_BASE_URL http://a', ['2 OPENAI_BASE_URL=http://a']],
  ['set --export -U OPENAI_BASE_URL http://a', ['1 OPENAI_BASE_URL=http://a']],
  ['$env:HTTPS_PROXY = "http://p:1"', ['1 HTTPS_PROXY=http://p:1']],
  ["alias codex='codex --yolo'", ['1 codex']],
  ['alias codex "codex --yolo"', ['1 codex']],
  ['codex() { command codex "$@"; }', ['1 codex']],
  ['function claude', ['1 claude']],
  ['OPENAI_BASE_URL=http://a codex', ['1 OPENAI_BASE_URL=http://a']],
])('reads %j', (text, expected) => {
  expect(linesOf(text)).toEqual(expected);
});

it.each([
  '# export HTTPS_PROXY=http://p:1',
  'export MY_HTTPS_PROXY=x',
  'echo $HTTPS_PROXY',
  'codex exec hi',
  'alias cx=codex',
])('takes %j for nothing', text => {
  expect(linesOf(text)).toEqual([]);
});

it('takes a missing file for an empty one', () => {
  expect(shellLines(join(temporaryDirectory(), 'none'), ['A'], ['b'])).toEqual([]);
});

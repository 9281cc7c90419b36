import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { checkConfiguration } from '../../../server/setup/checks/configuration.ts';
import type { Examined } from '../../../server/setup/finding.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** What is found with these files below HOME, whose `repo/deep` is the working directory. */
async function found(files: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}) {
  const HOME = temporaryDirectory();
  mkdirSync(join(HOME, 'repo', '.git'), { recursive: true });
  mkdirSync(join(HOME, 'repo', 'deep'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(HOME, name)), { recursive: true });
    writeFileSync(join(HOME, name), text);
  }
  const examined = { env: { HOME, ...env }, cwd: join(HOME, 'repo', 'deep') } as unknown as Examined;
  const findings = await checkConfiguration(examined);
  return findings.map(({ level, what, where, why }) => ({ level, what, where: where?.replace(HOME, '~'), why }));
}

const gateway = 'https://gateway.example/v1';
const settings = (env: object) => JSON.stringify({ env }, null, 2);

it('says nothing of agents that have no such configuration', async () => {
  expect(await found({ '.claude/settings.json': '{}' })).toEqual([]);
});

it('tells what Claude Code puts over a recorded terminal, in each of its files', async () => {
  const files = [
    '.claude.json',
    '.claude/settings.json',
    'repo/.claude/settings.json',
    'repo/deep/.claude/settings.local.json',
  ];
  for (const file of files) {
    expect(
      await found({ [file]: settings({ ANTHROPIC_BASE_URL: gateway, https_proxy: 'http://corp.example:1' }) }),
    ).toEqual([
      {
        level: 'warning',
        what: 'ANTHROPIC_BASE_URL=https://gateway.example sends requests elsewhere.',
        where: `~/${file}:3`,
        why: expect.stringContaining('unless it is started by codex-coach'),
      },
      expect.objectContaining({ level: 'warning', where: `~/${file}:4` }),
    ]);
  }
});

it('tells what no launch changes', async () => {
  const managed = settings({ https_proxy: 'http://corp.example:1' });
  expect(await found({ '.claude/remote-settings.json': managed })).toMatchObject([
    { level: 'broken', where: '~/.claude/remote-settings.json:3' },
  ]);
  expect(await found({}, { CLAUDE_CODE_USE_BEDROCK: '1' })).toMatchObject([
    { level: 'warning', what: expect.stringContaining('Amazon Bedrock'), where: 'Claude Code' },
  ]);
});

it('tells of the settings of other agents as a launch reads them', async () => {
  const file = '.config/opencode/opencode.json';
  const config = { provider: { gw: { npm: 'x', options: { baseURL: gateway } } } };
  expect(await found({ [file]: JSON.stringify(config) })).toMatchObject([
    { level: 'warning', what: expect.stringContaining('=https://gateway.example sends'), where: 'opencode' },
  ]);
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRecorded } from '../../../server/agents/recorded.ts';
import { launchKeys } from '../../../server/surfaces/cli/launchKeys.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** A repository with a `.env`, a directory below it, and an empty HOME. */
function aPlace(dotEnv: string) {
  const root = temporaryDirectory();
  const below = join(root, 'src', 'deep');
  mkdirSync(join(root, '.git'));
  mkdirSync(below, { recursive: true });
  writeFileSync(join(root, '.env'), dotEnv);
  return { below, env: { HOME: temporaryDirectory() } as NodeJS.ProcessEnv };
}

describe('keys for a launch', () => {
  it('come from the .env at the repository root, also from a directory below it', () => {
    const { below, env } = aPlace('ANTHROPIC_API_KEY=sk-ant-1\nOPENAI_API_KEY=sk-2\n');
    expect(launchKeys(findRecorded('claude'), env, below)).toEqual([
      { name: 'ANTHROPIC_API_KEY', variable: 'ANTHROPIC_API_KEY', value: 'sk-ant-1' },
    ]);
  });

  it('are given to Codex as the variable that it reads', () => {
    const { below, env } = aPlace('OPENAI_API_KEY=sk-2\n');
    expect(launchKeys(findRecorded('codex'), env, below)).toEqual([
      { name: 'OPENAI_API_KEY', variable: 'CODEX_API_KEY', value: 'sk-2' },
    ]);
  });

  it.each(['opencode', 'qwen', 'pi', 'cline'])('are given to %s by no name that the user has not set', agent => {
    const { below, env } = aPlace('CODEX_API_KEY=sk-of-dotenv\n');
    expect(launchKeys(findRecorded(agent), env, below)).toEqual([]);
    expect(launchKeys(findRecorded(agent), { ...env, CODEX_API_KEY: 'sk-own' }, below)).toEqual([]);
  });

  it('do not replace what the environment has', () => {
    const { below, env } = aPlace('ANTHROPIC_API_KEY=sk-of-dotenv\n');
    expect(launchKeys(findRecorded('claude'), { ...env, ANTHROPIC_API_KEY: 'sk-own' }, below)).toEqual([]);
  });

  it.each([
    ['codex', '.codex/auth.json', '{}'],
    ['claude', '.claude/.credentials.json', '{}'],
    ['claude', '.claude.json', '{"oauthAccount":{}}'],
    ['gemini', '.gemini/oauth_creds.json', '{}'],
  ])('leave %s alone when it has a login in %s', (agent, file, content) => {
    const { below, env } = aPlace('OPENAI_API_KEY=a-key\nANTHROPIC_API_KEY=b-key\nGEMINI_API_KEY=c-key\n');
    expect(launchKeys(findRecorded(agent), env, below)).not.toEqual([]);
    mkdirSync(join(env['HOME'] ?? '', file, '..'), { recursive: true });
    writeFileSync(join(env['HOME'] ?? '', file), content);
    expect(launchKeys(findRecorded(agent), env, below)).toEqual([]);
  });

  it('take a state file without an account for no login', () => {
    const { below, env } = aPlace('ANTHROPIC_API_KEY=b-key\n');
    writeFileSync(join(env['HOME'] ?? '', '.claude.json'), '{"numStartups":3}');
    expect(launchKeys(findRecorded('claude'), env, below)).toHaveLength(1);
  });
});

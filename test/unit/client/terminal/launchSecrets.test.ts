import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { launchSecrets } from '../../../../client/terminal/launchSecrets.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const key = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';

it('takes the secret values of the editor’s environment, and the key of Codex’s provider', async () => {
  const home = temporaryDirectory();
  writeFileSync(join(home, 'config.toml'), '[model_providers.gw]\nenv_key = "GATEWAY"\n');
  const env = { CODEX_HOME: home, GATEWAY: key, DB_PASSWORD: `${key}2`, EDITOR: 'code' };
  expect(await launchSecrets(env)).toEqual([key, `${key}2`]);
  expect(await launchSecrets({ ...env, CODEX_HOME: join(home, 'nowhere') })).toEqual([`${key}2`]);
});

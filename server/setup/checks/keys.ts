import { statSync } from 'node:fs';
import { join } from 'node:path';
import { keyNames } from '../../../protocol/config.ts';
import { codexHome } from '../../base/codexHome.ts';
import { readDotEnv } from '../../base/settings.ts';
import { repositoryRoot } from '../../surfaces/cli/launchKeys.ts';
import { type Check, finding } from '../finding.ts';

/** Where keys are, by name. Their values are not looked at. */
export const checkKeys: Check = ({ env, cwd }) => {
  const root = repositoryRoot(cwd);
  const dotEnv = readDotEnv(root);
  const found = keyNames.flatMap(name => {
    const where = env[name] ? name : dotEnv[name] ? join(root, '.env') : null;
    return where === null ? [] : [finding('keys', 'ok', `${name} is set.`, { where })];
  });
  const login = join(codexHome(env), 'auth.json');
  const mode = statSync(login, { throwIfNoEntry: false })?.mode;
  if (mode !== undefined && process.platform !== 'win32' && (mode & 0o077) !== 0) {
    found.push(
      finding('keys', 'warning', 'Other users of this machine can read the Codex login.', {
        where: login,
        fix: `chmod 600 ${login}`,
      }),
    );
  }
  return found;
};

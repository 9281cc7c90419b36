import { baseUrlsOf } from '../../../protocol/proxy.ts';
import { userHome } from '../../base/userHome.ts';
import { baseUrlsIn, keptEmpty, nearestEnv, untold } from './nearestEnv.ts';
import type { OwnRoute, StartedAgent } from './ownRoute.ts';

/** Gemini CLI reads base URLs from a `.env` file, too. Of a project's it does so only where the user trusts the project. */
export async function geminiRoute({ argv, env, cwd, isReplayed }: StartedAgent): Promise<OwnRoute> {
  const near = nearestEnv('.gemini', cwd, userHome(env));
  const own = Object.fromEntries(Object.entries(baseUrlsIn(near, env)).filter(([name]) => name.startsWith('GOOGLE_')));
  const [first] = Object.keys(own);
  if (first !== undefined && !near.isOfHome && !isReplayed) throw untold('Gemini CLI', near.file, first);
  return {
    baseUrls: { ...baseUrlsOf(env), ...own },
    settings: {},
    keyVariable: null,
    variables: near.variables,
    command: () => ({ argv, env: keptEmpty(near, env) }),
  };
}

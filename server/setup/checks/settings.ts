import { accessSync, constants, existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settings } from '../../../protocol/config.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { readOnlyError } from '../../base/paths.ts';
import { checkSettings, environmentSettings, readDotEnv } from '../../base/settings.ts';
import { ModelHosts } from '../../proxy/hosts.ts';
import { toAddressPolicy } from '../../proxy/upstream/addressPolicy.ts';
import { toOverrides } from '../../proxy/upstream/upstreamSetting.ts';
import { repositoryRoot } from '../../surfaces/cli/launchKeys.ts';
import { checkEnvironment } from '../../surfaces/cli/traced.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';

const area = 'settings';

/** What keeps every launch from its start: values that are not usable, or do not hold, and a home that can't be used. */
export const checkOwnSettings: Check = async examined => {
  const unusable = faultsOf(examined.env);
  const faults = [...unusable, ...homeFaults(examined.paths.home)];
  // Where they are not usable, it does not matter that the server has others.
  if (unusable.length === 0) faults.push(...(await serverFaults(examined)));
  const broken = faults.map(({ message, hint }) => finding(area, 'broken', message, { fix: hint }));
  const found = [...broken, ...checkDotEnv(examined)];
  return found.length > 0 ? found : [finding(area, 'ok', 'Usable.', { where: examined.paths.home })];
};

/** As a starting server reads them. */
function faultsOf(env: NodeJS.ProcessEnv): CoachError[] {
  const given = environmentSettings(env);
  return [
    () => checkSettings(env),
    () => toOverrides(given.get('proxy.upstreams')),
    () => new ModelHosts(given.get('proxy.hosts')),
    () => toAddressPolicy(given.get('proxy.allowPrivate')),
  ].flatMap(parse => {
    try {
      parse();
      return [];
    } catch (error) {
      return [CoachError.from(error)];
    }
  });
}

/** As a launch compares them with the server's. */
async function serverFaults({ env, server }: Examined): Promise<CoachError[]> {
  if (server === null) return [];
  try {
    await checkEnvironment(server.channel, env, () => undefined);
    return [];
  } catch (error) {
    const fault = CoachError.from(error);
    if (fault.code !== 'input.invalid') throw fault;
    return [fault];
  }
}

/** A directory that is not there yet is tried for where it would be made: not for everyone do the permissions decide. */
function homeFaults(home: string): CoachError[] {
  try {
    if (existsSync(home)) {
      // By its own entry, as only a directory has it.
      accessSync(`${home}/.`, constants.R_OK | constants.W_OK | constants.X_OK);
    } else {
      let parent = dirname(home);
      while (!existsSync(parent)) parent = dirname(parent);
      rmdirSync(mkdtempSync(join(parent, '.coach-doctor-')));
    }
    return [];
  } catch (cause) {
    return [readOnlyError(home, cause)];
  }
}

const ownNames: ReadonlySet<string> = new Set(Object.values(settings).map(({ env }) => env));

/** Settings that a repository's `.env` seems to set. `DEBUG` stands there for other programs. */
function checkDotEnv({ env, cwd }: Examined): Finding[] {
  const root = repositoryRoot(cwd);
  const names = Object.entries(readDotEnv(root))
    .filter(([name, value]) => name.startsWith('COACH_') || (ownNames.has(name) && name !== 'DEBUG' && value !== ''))
    // Something else has read the file.
    .filter(([name, value]) => env[name] !== value)
    .map(([name]) => name);
  if (names.length === 0) return [];
  return [
    finding(area, 'warning', `${names.join(', ')}: not read from here.`, {
      where: join(root, '.env'),
      why: 'Of a repository’s .env only keys are read: it must not decide where traffic goes, nor what it may cost.',
      fix: 'Set them in the environment, then: codex-coach server stop',
    }),
  ];
}

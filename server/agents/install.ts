import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { exec } from '../base/exec.ts';
import { writeDirectoryAtomic } from '../base/files.ts';
import type { Agent } from './agent.ts';

export interface InstallOptions {
  /** `COACH_HOME/cache`. */
  readonly cache: string;
  /** npm's whole environment: its settings, proxies and certificates are the user's own. */
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress: (text: string) => void;
}

/** What installing needs of an agent. */
export type InstallableAgent = Pick<Agent, 'id' | 'title' | 'package'>;

export interface InstalledAgent {
  readonly version: string;
  /** Directory to mount into a sandbox; the program's path in it is `program`. */
  readonly directory: string;
  readonly program: string;
}

const underWay = new Map<string, Promise<InstalledAgent>>();
const tellEveryMs = 3000;

/**
 * Installs the pinned version of an agent at `<cache>/agents/<id>/<version>/program`, whole or not at all, and runs it
 * once. Answers at once when it is there. Callers that come meanwhile wait for the same installation.
 * @throws CoachError `agent.installFailed`
 */
export async function installAgent(
  agent: InstallableAgent,
  options: InstallOptions,
  signal?: AbortSignal,
): Promise<InstalledAgent> {
  const installed = findInstalled(agent, options.cache);
  if (installed !== null) return installed;
  const key = join(options.cache, agent.id);
  const running = underWay.get(key) ?? install(agent, options, signal);
  underWay.set(key, running);
  try {
    return await running;
  } finally {
    underWay.delete(key);
  }
}

/** Where the pinned version of an agent lies, or null when it is not installed or needs no program. */
export function findInstalled(agent: InstallableAgent, cache: string): InstalledAgent | null {
  const platform = agent.package?.platform(process.platform, process.arch);
  if (!agent.package || !platform) return null;
  const directory = join(cache, 'agents', agent.id, agent.package.version, 'program');
  const found = { version: agent.package.version, directory, program: platform.program };
  return existsSync(join(directory, platform.program)) ? found : null;
}

async function install(
  agent: InstallableAgent,
  options: InstallOptions,
  signal?: AbortSignal,
): Promise<InstalledAgent> {
  const platform = agent.package?.platform(process.platform, process.arch);
  if (!agent.package || !platform) {
    throw new CoachError(
      'agent.installFailed',
      `${agent.title} has no program for ${process.platform} ${process.arch}.`,
    );
  }
  const { name, version } = agent.package;
  const home = join(options.cache, 'agents', agent.id, version);
  await writeDirectoryAtomic(home, async temporary => {
    const started = Date.now();
    const tell = () =>
      options.onProgress(`Fetching ${platform.spec} from npm: ${Math.round((Date.now() - started) / 1000)} s`);
    tell();
    const timer = setInterval(tell, tellEveryMs);
    try {
      await npmInstall(platform.spec, join(temporary, 'npm'), options.env, signal);
    } finally {
      clearInterval(timer);
    }
    const unpacked = join(temporary, 'npm', 'node_modules', platform.name ?? name, platform.directory);
    await rename(unpacked, join(temporary, 'program'));
    await rm(join(temporary, 'npm'), { recursive: true, force: true });
    options.onProgress(`Checking ${agent.title} ${version}.`);
    await check(
      agent.title,
      { program: join(temporary, 'program', platform.program), version, home: temporary },
      signal,
    );
  }).catch((error: unknown) => {
    // Another process may have been first: its installation is as good.
    if (findInstalled(agent, options.cache) === null) throw error;
  });
  return { version, directory: join(home, 'program'), program: platform.program };
}

/** Whether a program needs a Node to run it. */
export function isScript(program: string): boolean {
  return program.endsWith('.js');
}

async function npmInstall(spec: string, prefix: string, env: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const failed = (message: string, cause?: unknown) =>
    new CoachError('agent.installFailed', message, {
      ...(cause === undefined ? {} : { cause }),
      hint: `Check that "npm view ${spec} version" answers (network, proxy, registry), then try again.`,
    });
  await mkdir(prefix, { recursive: true });
  const outcome = await exec(
    {
      argv: [
        process.platform === 'win32' ? 'npm.cmd' : 'npm',
        ...['install', '--prefix', prefix, '--cache', join(prefix, 'cache'), '--ignore-scripts', '--no-package-lock'],
        ...['--no-audit', '--no-fund', '--no-save', '--loglevel=error', spec],
      ],
      env,
    },
    signal,
  ).catch((error: unknown) => {
    const coach = CoachError.from(error);
    throw coach.code === 'agent.missing' ? failed('No npm on this machine.', error) : coach;
  });
  if (outcome.exitCode === 0) return;
  const said = outcome.stderr.toString().trim().split('\n').slice(0, 4).join(' ');
  throw failed(`npm could not install ${spec}: ${said || `exit code ${outcome.exitCode}`}`);
}

/** Runs the program once: a package that can't run here must not be found as installed. What it leaves in its HOME goes. */
async function check(
  title: string,
  { program, version, home }: { program: string; version: string; home: string },
  signal?: AbortSignal,
): Promise<void> {
  const scratch = join(home, 'home');
  const outcome = await exec(
    {
      argv: isScript(program) ? [process.execPath, program, '--version'] : [program, '--version'],
      // In the editor this process is Electron, which is a Node only when told so.
      env: { PATH: process.env['PATH'], HOME: scratch, ELECTRON_RUN_AS_NODE: '1' },
    },
    signal,
  );
  await rm(scratch, { recursive: true, force: true });
  const said = `${outcome.stdout}${outcome.stderr}`.trim();
  if (outcome.exitCode === 0 && said.includes(version)) return;
  throw new CoachError('agent.installFailed', `${title} was installed but does not run: ${said || 'no output'}`, {
    hint: 'Check that this machine can run the program of the package, then try again.',
  });
}

import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf, modelHosts } from '../../../protocol/proxy.ts';
import { secretsOf } from '../../../protocol/secretVariables.ts';
import { recordedAgents } from '../../agents/recorded.ts';
import { codexKeys } from '../../agents/routes/codexRoute.ts';
import type { Argv, LaunchWay, OwnRoute, StartedAgent } from '../../agents/routes/ownRoute.ts';
import { ownRoutes } from '../../agents/routes/ownRoutes.ts';
import { shellWord } from '../../base/shell.ts';

/** Where an agent would go by itself. @throws CoachError `input.invalid` when the agent's configuration can't be read */
export async function agentRoute(agent: string, started: StartedAgent): Promise<OwnRoute> {
  const read = ownRouteOf(agent);
  if (read !== null) return read(started);
  const { argv, env } = started;
  return {
    baseUrls: baseUrlsOf(env),
    settings: {},
    keyVariable: null,
    unrecorded: await ledPast(started),
    command: () => ({ argv, env: {} }),
  };
}

/** Of an agent that something else starts, as `sh -c "claude -p hi"`: where its own configuration leads it all the same. */
async function ledPast(started: StartedAgent): Promise<string | null> {
  const words = started.argv.slice(1).join('\n');
  const named = recordedAgents.filter(({ id }) =>
    new RegExp(`(?:^|[\\s/;&|("'=])${id}(?:$|[\\s;&|)"'])`, 'm').test(words),
  );
  for (const { id, title } of named) {
    const place = await ownPlace(id, title, started);
    if (place !== null) return place;
  }
  return null;
}

async function ownPlace(id: string, title: string, started: StartedAgent): Promise<string | null> {
  const read = ownRouteOf(id);
  if (read === null) return null;
  try {
    const { baseUrls, settings, unrecorded = null } = await read({ ...started, argv: [id] });
    if (unrecorded !== null) return unrecorded;
    const own = Object.entries({ ...baseUrls, ...settings }).filter(([name, url]) => started.env[name] !== url);
    const [name, url] = own.find(([, led]) => !modelHosts.includes(URL.parse(led)?.hostname ?? '')) ?? [];
    if (name === undefined || url === undefined) return null;
    return `${title} goes to ${URL.parse(url)?.origin} by its own ${name}, which is recorded only where it is started itself, as by codex-coach trace -- ${id}.`;
  } catch (error) {
    return CoachError.from(error).message;
  }
}

function ownRouteOf(agent: string): ((started: StartedAgent) => Promise<OwnRoute>) | null {
  return Object.hasOwn(ownRoutes, agent) ? (ownRoutes[agent] ?? null) : null;
}

/** What an agent that is started here must not have recorded. Whatever it is, it may start Codex. */
export function launchSecrets(env: NodeJS.ProcessEnv, argv: readonly string[] = []): string[] {
  return secretsOf(env, codexKeys(argv, env));
}

/** Where Codex would go that is started in a shell. */
export function codexOfShell(env: NodeJS.ProcessEnv): Promise<OwnRoute> {
  return agentRoute('codex', { argv: ['codex'], env, cwd: process.cwd(), isReplayed: false });
}

/** For a shell: what no variable changes in Codex, such as where its configuration says that its gateway is. */
export async function codexCommand(route: OwnRoute, given: Omit<LaunchWay, 'file'>): Promise<Argv> {
  const file = () => {
    throw new Error('Codex is led by its command line alone.');
  };
  return (await route.command({ ...given, file })).argv;
}

export function printCommand(argv: Argv, print: (line: string) => void): void {
  if (argv.length > 1) print(`# To have Codex recorded: ${argv.map(shellWord).join(' ')}`);
}

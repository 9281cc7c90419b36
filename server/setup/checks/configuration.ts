import { basename, join } from 'node:path';
import { parse } from 'smol-toml';
import { CoachError } from '../../../protocol/errors.ts';
import { modelHosts } from '../../../protocol/proxy.ts';
import { type RecordedAgent, recordedAgents } from '../../agents/recorded.ts';
import { claudeSettings } from '../../agents/routes/claudeSettings.ts';
import { ownRoutes } from '../../agents/routes/ownRoutes.ts';
import { codexHome } from '../../base/codexHome.ts';
import { textOfFile } from '../../base/files.ts';
import { listens, localPlace } from '../../base/localPlace.ts';
import { userHome } from '../../base/userHome.ts';
import { repositoryRoot } from '../../surfaces/cli/launchKeys.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';
import { jsonAt } from '../jsonEntry.ts';
import { area, judgeVariable, routingVariables, type SetVariable } from '../routing.ts';
import { shellFiles, shellLines } from '../shellFiles.ts';

/** Old configuration that leads an agent past the recording, or nowhere. */
export const checkConfiguration: Check = async examined => {
  const { env } = examined;
  const home = userHome(env);
  const programs = recordedAgents.map(({ id }) => id);
  const lines = shellFiles(env).flatMap(file => shellLines(file, routingVariables, programs));
  const variables: SetVariable[] = [
    ...routingVariables.map(name => ({ name, value: env[name] ?? '', where: name, over: 'nothing' as const })),
    ...lines
      .filter(({ kind }) => kind === 'variable')
      .map(({ name, value, file, line }) => ({ name, value, where: `${file}:${line}`, over: 'nothing' as const })),
    ...dotEnvVariables(examined, home),
    ...claudeVariables(examined),
  ];
  const routes = recordedAgents.filter(({ id }) => id !== 'codex' && id in ownRoutes);
  const own = await Promise.all(routes.map(agent => checkOwnRoute(agent, examined)));
  const judged = await Promise.all(variables.map(judgeVariable));
  const replaced = lines
    .filter(({ kind }) => kind === 'command')
    .map(({ name, file, line }) =>
      finding(area, 'warning', `${name} is an alias or a function.`, {
        where: `${file}:${line}`,
        why: `It may start ${name} past the recording; codex-coach starts the program on PATH instead.`,
        fix: 'Remove it, or let it call codex-coach.',
      }),
    );
  return [...judged.filter(found => found !== null), ...replaced, ...own.flat(), ...(await checkCodexToml(env))];
};

/** What an agent's own files say, as a launch reads them: all but the variables that are told with their lines. */
async function checkOwnRoute({ id, title }: RecordedAgent, { env, cwd }: Examined): Promise<Finding[]> {
  try {
    const route = await ownRoutes[id]?.({ argv: [id], env, cwd, isReplayed: false });
    const settings = Object.entries(route?.settings ?? {});
    const found = await Promise.all(
      settings.map(([name, value]) => judgeVariable({ name, value, where: title, over: 'terminal' })),
    );
    const unrecorded = route?.unrecorded ?? null;
    const all = [...found, unrecorded === null ? null : finding(area, 'warning', unrecorded, { where: title })];
    return all.filter(one => one !== null);
  } catch (error) {
    const { message, hint } = CoachError.from(error);
    const why = `codex-coach does not start ${title} with it.`;
    return [finding(area, 'warning', message, { where: title, why, fix: hint })];
  }
}

/** `.env` files that agents read after our launch has cleaned their environment. Nothing leads Codex past its own. */
function dotEnvVariables({ env, cwd }: Examined, home: string): SetVariable[] {
  const files = [
    { file: join(codexHome(env), '.env'), over: 'launch' as const },
    ...[join(home, '.gemini', '.env'), join(home, '.qwen', '.env'), join(repositoryRoot(cwd), '.env')].map(file => ({
      ...{ file, over: 'terminal' as const },
    })),
  ];
  return files.flatMap(({ file, over }) =>
    shellLines(file, routingVariables, ['codex'])
      .filter(({ kind }) => kind === 'variable')
      .map(({ name, value, line }) => ({ name, value, where: `${file}:${line}`, over })),
  );
}

/** Claude Code's settings have an `env` that it applies to itself. */
function claudeVariables({ env, cwd }: Examined): SetVariable[] {
  const places = [...new Set([cwd, repositoryRoot(cwd)])];
  const files = places.flatMap(place => claudeSettings({ settings: null, sources: null }, { env, cwd: place }));
  const known = new Map(files.map(file => [file.where, file]));
  return [...known.values()].flatMap(({ where, env: set, isManaged }) => {
    const text = textOfFile(where) ?? '';
    return routingVariables.flatMap(name => {
      const value = set[name];
      if (value === undefined) return [];
      const line = jsonAt(text, ['env', name])?.line;
      return [
        { name, value, where: `${where}:${line ?? 1}`, over: isManaged ? ('launch' as const) : ('terminal' as const) },
      ];
    });
  });
}

/** Codex's own settings of where its requests go. */
async function checkCodexToml(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const file = join(codexHome(env), 'config.toml');
  const text = textOfFile(file) ?? '';
  let config: Record<string, unknown>;
  try {
    config = parse(text);
  } catch (error) {
    const why = 'Codex does not start with it.';
    return [
      finding(area, 'broken', (error as Error).message.split('\n')[0] ?? `${basename(file)} is no TOML.`, {
        where: file,
        why,
      }),
    ];
  }
  const lineOf = (url: string) => `${file}:${text.slice(0, Math.max(0, text.indexOf(url))).split('\n').length}`;
  const provider = (config['model_providers'] as Record<string, { base_url?: unknown }> | undefined)?.[
    String(config['model_provider'])
  ];
  const urls = [config['openai_base_url'], provider?.base_url].filter(url => typeof url === 'string');
  return (await Promise.all(urls.map(url => judgeCodexUrl(url, lineOf(url))))).filter(found => found !== null);
}

async function judgeCodexUrl(url: string, where: string): Promise<Finding | null> {
  const { protocol, hostname, origin } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '', origin: url };
  const place = localPlace(url);
  if (place !== null && !(await listens(place.host, place.port))) {
    return finding(area, 'broken', `Codex sends its requests to ${origin}, where nothing listens.`, {
      where,
      why: 'Codex keeps trying.',
      fix: 'Start what should listen there, or remove the line.',
    });
  }
  if (protocol === 'https:' && modelHosts.includes(hostname)) return null;
  return finding(area, 'warning', `Codex sends its requests to ${origin}.`, {
    where,
    why: 'codex-coach records it there; a Codex that is started otherwise is not recorded.',
    fix: protocol === 'https:' ? `Have it recorded: COACH_MODEL_HOSTS=${hostname}` : 'Start it with codex-coach.',
  });
}

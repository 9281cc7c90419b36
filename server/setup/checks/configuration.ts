import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { parse } from 'smol-toml';
import { recordedAgents } from '../../agents/recorded.ts';
import { codexHome } from '../../base/codexHome.ts';
import { listens, localPlace } from '../../base/localPlace.ts';
import { modelHosts } from '../../proxy/hosts.ts';
import { repositoryRoot } from '../../surfaces/cli/launchKeys.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';
import { jsonAt } from '../jsonEntry.ts';
import { area, judgeVariable, routingVariables, type SetVariable } from '../routing.ts';
import { shellFiles, shellLines } from '../shellFiles.ts';

/** Old configuration that leads an agent past the recording, or nowhere. */
export const checkConfiguration: Check = async examined => {
  const { env } = examined;
  const home = env['HOME'] || homedir();
  const programs = recordedAgents.map(({ id }) => id);
  const lines = shellFiles(env).flatMap(file => shellLines(file, routingVariables, programs));
  const variables: SetVariable[] = [
    ...routingVariables.map(name => ({ name, value: env[name] ?? '', where: name, wins: false })),
    ...lines
      .filter(({ kind }) => kind === 'variable')
      .map(({ name, value, file, line }) => ({ name, value, where: `${file}:${line}`, wins: false })),
    ...dotEnvVariables(examined, home),
    ...claudeVariables(examined, home),
  ];
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
  return [...judged.filter(found => found !== null), ...replaced, ...(await checkCodexToml(env))];
};

/** `.env` files that agents read after our launch has cleaned their environment. */
function dotEnvVariables({ env, cwd }: Examined, home: string): SetVariable[] {
  const files = [
    join(codexHome(env), '.env'),
    join(home, '.gemini', '.env'),
    join(home, '.qwen', '.env'),
    join(repositoryRoot(cwd), '.env'),
  ];
  return files
    .flatMap(file => shellLines(file, routingVariables, ['codex']))
    .filter(({ kind }) => kind === 'variable')
    .map(({ name, value, file, line }) => ({ name, value, where: `${file}:${line}`, wins: true }));
}

/** Claude Code's settings have an `env` that it applies to itself. */
function claudeVariables({ env, cwd }: Examined, home: string): SetVariable[] {
  const files = [
    join(env['CLAUDE_CONFIG_DIR'] || join(home, '.claude'), 'settings.json'),
    join(repositoryRoot(cwd), '.claude', 'settings.json'),
    join(repositoryRoot(cwd), '.claude', 'settings.local.json'),
  ];
  return files.flatMap(file => {
    const text = read(file);
    return routingVariables.flatMap(name => {
      const found = jsonAt(text, ['env', name]);
      if (typeof found?.value !== 'string') return [];
      return [{ name, value: found.value, where: `${file}:${found.line}`, wins: true }];
    });
  });
}

/** Codex's own settings of where its requests go. */
async function checkCodexToml(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const file = join(codexHome(env), 'config.toml');
  const text = read(file);
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

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

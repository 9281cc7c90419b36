import type { Command } from 'commander';
import { remote } from '../../protocol/api.ts';
import { settings } from '../../protocol/config.ts';
import { CoachError } from '../../protocol/errors.ts';
import { proxy } from '../../protocol/proxy.ts';
import { coachPaths } from '../base/paths.ts';
import { environmentSettings } from '../base/settings.ts';
import { shellWord } from '../base/shell.ts';
import { connectToRunningServer } from '../connect.ts';
import { authorityFiles } from '../proxy/certificates/authorityFiles.ts';
import { exitCodes, type Terminal } from '../surfaces/cli/terminal.ts';
import { checkAgents } from './checks/agents.ts';
import { checkCertificate } from './checks/certificate.ts';
import { checkConfiguration } from './checks/configuration.ts';
import { checkDatabase } from './checks/database.ts';
import { checkDocker } from './checks/docker.ts';
import { checkKeys } from './checks/keys.ts';
import { checkMcp } from './checks/mcp.ts';
import { checkProxy } from './checks/proxy.ts';
import { checkOwnSettings } from './checks/settings.ts';
import { type Check, type Examined, type Finding, finding } from './finding.ts';

export interface DoctorReport {
  /** False when something is broken. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** A command that proves the route: it prints a status of the model host, fetched through the proxy. */
  readonly curl: string;
}

const checks: Readonly<Record<string, Check>> = {
  settings: checkOwnSettings,
  proxy: checkProxy,
  certificate: checkCertificate,
  database: checkDatabase,
  agents: checkAgents,
  keys: checkKeys,
  mcp: checkMcp,
  docker: checkDocker,
  configuration: checkConfiguration,
};

/** `codex-coach doctor`: looks at everything that recording depends on, and changes nothing. */
export function addDoctorCommand(program: Command, terminal: Terminal, exit: (code: number) => void): void {
  program
    .command('doctor')
    .description(
      'Check what recording depends on: proxy, certificate, agents, keys, old configuration. Changes nothing',
    )
    .option('--json', 'Print the answer as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const report = await examine(terminal);
      terminal.print(json ? JSON.stringify(report, null, 2) : toWords(report));
      exit(report.ok ? exitCodes.ok : exitCodes.failed);
    });
}

export async function examine({ env, cwd, signal }: Pick<Terminal, 'env' | 'cwd' | 'signal'>): Promise<DoctorReport> {
  const paths = coachPaths(env);
  const server = await connectToRunningServer({ paths, client: 'cli' }).catch(() => null);
  try {
    const examined: Examined = { env, cwd, paths, server, signal };
    const findings = await Promise.all(Object.entries(checks).map(([name, check]) => run(name, check, examined)));
    const port = server === null ? null : (await remote(proxy, server.channel).status({})).port;
    const shownPort = port ?? portOf(env);
    const { caFile } = authorityFiles(paths.ca);
    return {
      ok: !findings.flat().some(({ level }) => level === 'broken'),
      findings: findings.flat(),
      curl: `curl -sS -o /dev/null -w '%{http_code}\\n' --proxy http://127.0.0.1:${shownPort} --cacert ${shellWord(caFile)} https://api.openai.com/v1/models`,
    };
  } finally {
    server?.dispose();
  }
}

/** The port that a proxy would take; one that is not usable is a finding of its own. */
function portOf(env: NodeJS.ProcessEnv): number {
  try {
    return environmentSettings(env).get('proxy.port');
  } catch {
    return settings['proxy.port'].default;
  }
}

/** A check that fails is itself a finding: the others still tell what they see. */
async function run(name: string, check: Check, examined: Examined): Promise<Finding[]> {
  try {
    return await check(examined);
  } catch (error) {
    const { message, hint } = CoachError.from(error);
    return [finding(name, 'broken', `Can't be checked: ${message}`, { fix: hint })];
  }
}

const marks: Readonly<Record<Finding['level'], string>> = {
  ok: 'ok     ',
  note: 'note   ',
  warning: 'WARNING',
  broken: 'BROKEN ',
};

function toWords({ ok, findings, curl }: DoctorReport): string {
  const lines = findings.flatMap(({ area, level, what, where, why, fix }) => [
    `${marks[level]} ${area}: ${what}${where === null || level !== 'ok' ? '' : ` (${where})`}`,
    ...(level === 'ok' || where === null ? [] : [`          at ${where}`]),
    ...(why === null ? [] : [`          ${why}`]),
    ...(fix === null ? [] : [`          Fix: ${fix}`]),
  ]);
  return [
    ...lines,
    '',
    'Proof of the route, 401 when it works (the proxy must be running):',
    `  ${curl}`,
    '',
    ok ? 'Nothing is broken.' : 'Something is broken; see above.',
  ].join('\n');
}

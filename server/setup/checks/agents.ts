import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codex } from '../../agents/codex.ts';
import { findInstalled } from '../../agents/install.ts';
import { type RecordedAgent, recordedAgents } from '../../agents/recorded.ts';
import { codexHome } from '../../base/codexHome.ts';
import { exec } from '../../base/exec.ts';
import { listensAt } from '../../base/localPlace.ts';
import { programOnPath } from '../../base/programs.ts';
import { redact } from '../../base/redact/redact.ts';
import { givenKeys } from '../../base/settings.ts';
import { hasLogin, repositoryRoot } from '../../surfaces/cli/launchKeys.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';

const versionTimeoutMs = 15_000;

/** Agent programs on PATH with their versions, and whether each has a login or a key. Only presence is told. */
export const checkAgents: Check = async examined => {
  const { env, paths, cwd } = examined;
  const keys = givenKeys(env, repositoryRoot(cwd));
  const installed = recordedAgents.flatMap(agent => {
    const program = programOnPath(agent.id, env);
    return program === null ? [] : [{ agent, program }];
  });
  const cached = findInstalled(codex, paths.cache);
  const found: Finding[] = await Promise.all(
    installed.map(({ agent, program }) => checkProgram(agent, program, examined)),
  );
  found.push(...(await checkCodexDaemon(env)));
  if (cached !== null) {
    found.push(
      finding('agents', 'ok', `${codex.title} ${cached.version}, installed by us for runs.`, {
        where: cached.directory,
      }),
    );
  }
  if (found.length === 0) {
    found.push(finding('agents', 'note', 'No agent on PATH.', { fix: 'codex-coach agents install codex' }));
  }
  for (const { agent } of installed) {
    if (hasLogin(agent, env)) found.push(finding('keys', 'ok', `${agent.title} has a login of its own.`));
    else if (Object.keys(agent.keys).some(name => keys[name] !== undefined)) {
      found.push(finding('keys', 'ok', `${agent.title} has a key in the environment or .env.`));
    } else if (Object.keys(agent.keys).length > 0) {
      found.push(
        finding('keys', 'note', `${agent.title} has neither a login that we know nor a key.`, {
          fix: `Log in with it, or set ${Object.keys(agent.keys).join(' or ')} in the environment or in .env.`,
        }),
      );
    }
  }
  return found;
};

/** Agents of all terminals ask through it, with the environment of the one that started it. */
async function checkCodexDaemon(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const socket = join(codexHome(env), 'app-server-control', 'app-server-control.sock');
  if (!(await listensAt(socket))) return [];
  const what =
    'Codex’s background server runs: what interactive Codex asks is recorded as that was started, or not at all.';
  const fix =
    'Start Codex with codex-coach, or with codex --no-daemon. To end that server: codex app-server daemon stop';
  return [finding('agents', 'warning', what, { where: socket, fix })];
}

/**
 * What the program says of itself, run with an empty HOME: some agents write there even for `--version`. One that fails so
 * may run all the same: the shims of version managers need HOME to find the program.
 */
async function checkProgram(
  { id, title }: RecordedAgent,
  program: string,
  { env, signal }: Examined,
): Promise<Finding> {
  const home = mkdtempSync(join(tmpdir(), 'coach-doctor-'));
  const failed = (why: string | null) =>
    finding('agents', 'warning', `${title} does not tell its version when HOME is empty.`, {
      where: program,
      why,
      fix: `Run ${id} --version: if that fails, too, install it again.`,
    });
  try {
    const { exitCode, stdout, stderr } = await exec(
      { argv: [program, '--version'], cwd: home, env: { PATH: env['PATH'], HOME: home, TMPDIR: home, NO_COLOR: '1' } },
      AbortSignal.any([signal, AbortSignal.timeout(versionTimeoutMs)]),
    );
    if (exitCode !== 0) return failed(redact(firstLine(stderr)) || null);
    return finding('agents', 'ok', `${title}: ${firstLine(stdout)}`, { where: program });
  } catch (error) {
    if (error instanceof DOMException) return failed('It does not answer.');
    return finding('agents', 'broken', `${title} does not run.`, { where: program, fix: 'Install it again.' });
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

function firstLine(output: Buffer): string {
  return output.toString().trim().split('\n')[0] ?? '';
}

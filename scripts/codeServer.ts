import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** code-server 4.139.1 is VS Code 1.139.1. Its postinstall runs on Node 24 only. */
const version = '4.139.1';
const startTimeoutMs = 60_000;

export interface CodeServer {
  /** `http://127.0.0.1:<port>/` */
  readonly url: string;
  readonly process: ChildProcess;
  /** JSON of the person's settings. */
  readonly settingsFile: string;
  /** Ends the editor with everything it started. */
  stop(): Promise<void>;
}

/** What code-server's installation compiles with, and what of it this machine lacks, as Debian package names. */
export function missingBuildTools(): string[] {
  const answers = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
  const tools = [
    ['gcc', 'gcc'],
    ['g++', 'g++'],
    ['make', 'make'],
    ['python3', 'python3'],
  ] as const;
  const missing = tools.filter(([program]) => !answers(program)).map(([, name]) => name as string);
  const headers = ['/usr/include/gssapi/gssapi.h', '/usr/include/mit-krb5/gssapi/gssapi.h'];
  if (process.platform === 'linux' && !headers.some(existsSync)) missing.push('libkrb5-dev');
  return missing;
}

/** Where the installed code-server starts, or null before `installCodeServer`. */
export function findCodeServer(directory: string): string | null {
  const entry = join(directory, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
  return existsSync(entry) && existsSync(join(directory, 'installed')) ? entry : null;
}

/**
 * Installs code-server from npm into a directory of its own: 600 MB, about a minute. At once when it is there.
 * @throws Error that names the missing packages with the command that installs them
 */
export async function installCodeServer(directory: string, say: (line: string) => void): Promise<string> {
  const present = findCodeServer(directory);
  if (present !== null) return present;
  const missing = missingBuildTools();
  if (missing.length > 0) {
    throw new Error(
      `code-server is compiled on this machine and needs: ${missing.join(', ')}.\nInstall them: sudo apt-get install ${missing.join(' ')}`,
    );
  }
  say(`Installing code-server ${version} into ${directory} (about a minute, once) …`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "name": "codex-coach-tools", "private": true }\n');
  const args = [
    'install',
    `code-server@${version}`,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts=false',
    '--global=false',
  ];
  const exitCode = await npm(directory, args);
  if (exitCode !== 0) throw new Error(`Installing code-server failed; npm says why above. Try again: npm run vscode`);
  writeFileSync(join(directory, 'installed'), `${version}\n`);
  return join(directory, 'node_modules', 'code-server', 'out', 'node', 'entry.js');
}

/** npm on the Node that runs this script, with that Node's own headers: what is compiled must fit it. */
function npm(directory: string, args: readonly string[]): Promise<number> {
  const nodeRoot = join(process.execPath, '..', '..');
  // An npm around this script may run on another Node, and says so to the installation by these.
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(?!config_)|^npm_config_(user_agent|node_gyp)$/.test(name),
  );
  const env: NodeJS.ProcessEnv = Object.fromEntries(kept);
  env['PATH'] = `${join(nodeRoot, 'bin')}:${env['PATH'] ?? ''}`;
  if (existsSync(join(nodeRoot, 'include', 'node'))) env['npm_config_nodedir'] = nodeRoot;
  // Half the time of compiling is optimizing, for an editor that is opened to look at our extension.
  for (const flags of ['CFLAGS', 'CXXFLAGS']) env[flags] = `${env[flags] ?? ''} -O0`.trim();
  return new Promise(resolve => {
    const child = spawn('npm', args, { cwd: directory, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', () => resolve(1));
    child.once('exit', code => resolve(code ?? 1));
  });
}

export interface CodeServerProfile {
  /** Everything of this editor: settings, extensions, state. Nothing of it goes to the user's home. */
  readonly profile: string;
  /** Where its extensions are, when it shares them with other profiles. */
  readonly extensions?: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Installs a VSIX into a profile. */
export async function installExtension(entry: string, profile: CodeServerProfile, vsix: string): Promise<void> {
  const argv = [...profileFlags(entry, profile), '--install-extension', vsix, '--force'];
  const child = spawn(process.execPath, argv, {
    env: editorEnvironment(profile),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collect(child);
  const code = await new Promise<number | null>(resolve => child.once('exit', resolve));
  if (code !== 0) throw new Error(`code-server did not take ${vsix}:\n${output()}`);
}

/** Starts the editor on a free port of 127.0.0.1, in a process group of its own. */
export async function startCodeServer(
  entry: string,
  place: CodeServerProfile,
  folder: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<CodeServer> {
  const { profile } = place;
  const user = join(profile, 'data', 'User');
  mkdirSync(user, { recursive: true });
  const settingsFile = join(user, 'settings.json');
  writeFileSync(settingsFile, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
  const flags = [
    '--auth=none',
    '--bind-addr=127.0.0.1:0',
    `--session-socket=${join(profile, 'session.sock')}`,
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-getting-started-override',
    '--disable-proxy',
  ];
  const child = spawn(process.execPath, [...profileFlags(entry, place), ...flags, folder], {
    env: editorEnvironment(place),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = collect(child);
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()));
  const stop = async () => {
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), 3000);
    await gone;
    clearTimeout(timer);
    signalGroup(child, 'SIGKILL');
  };
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline && child.exitCode === null; ) {
    const url = /HTTP server listening on (http:\/\/127\.0\.0\.1:\d+\/)/.exec(output())?.[1];
    if (url !== undefined) return { url, process: child, settingsFile, stop };
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await stop();
  throw new Error(`code-server did not start:\n${output()}`);
}

/** No tours, no network, no sounds of its own. */
const quietSettings = {
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
};

function profileFlags(entry: string, { profile, extensions }: CodeServerProfile): string[] {
  return [
    entry,
    '--user-data-dir',
    join(profile, 'data'),
    '--extensions-dir',
    extensions ?? join(profile, 'extensions'),
    '--config',
    join(profile, 'config.yaml'),
  ];
}

/** Without the variables of an editor or npm around this process, and with its own places for what it would leave in HOME. */
function editorEnvironment({ profile, env }: CodeServerProfile): NodeJS.ProcessEnv {
  mkdirSync(profile, { recursive: true });
  const kept = Object.entries(env).filter(([name]) => !/^(VSCODE_|npm_|ELECTRON_)/.test(name));
  return {
    ...Object.fromEntries(kept),
    XDG_DATA_HOME: join(profile, 'xdg-data'),
    XDG_CONFIG_HOME: join(profile, 'xdg-config'),
  };
}

function collect(child: ChildProcess): () => string {
  let output = '';
  const add = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => output;
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // The whole group is gone.
  }
}

// Runs one of the npm scripts on Node 24 with the locked dependencies, installing both first where they are missing.
// Plain JavaScript for Node 20, with nothing but Node's own modules: it is what runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stampFile = join(root, 'node_modules', '.coach-installed');
const floor = [22, 15];

const [task = '', ...args] = process.argv.slice(2);
const script = join(root, 'scripts', `${task}.ts`);

if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Codex Coach needs Node 20 or newer to set itself up; this is ${process.versions.node}.`);
if (!scriptNames().includes(task)) fail(`No script "${task}". There are: ${scriptNames().join(', ')}.`);
if (spawnSync('git', ['--version'], { stdio: 'ignore' }).status !== 0)
  fail('git is missing. Install it and run the command again.');

installDependencies();
const node = findNode();
const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` },
});
// The terminal sends Ctrl-C to the child too; this process waits for it to clean up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on('error', error => fail(`Can't start ${node}: ${error.message}`));
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));

/** Installs what package-lock.json says, once per lock file. Flags win over whatever npm settings there are. */
function installDependencies() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  process.stderr.write('Installing the locked dependencies (about 400 packages, once) …\n');
  const flags = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--global=false',
    '--dry-run=false',
    '--package-lock=true',
    '--package-lock-only=false',
    '--engine-strict=false',
    '--legacy-peer-deps=false',
    '--install-strategy=hoisted',
    '--install-links=false',
    '--workspaces=false',
    '--bin-links=true',
    '--audit=false',
    '--fund=false',
    '--loglevel=error',
  ];
  const npm = process.env.npm_execpath;
  const fromNpm = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const env = { ...process.env, NODE_ENV: '' };
  const outcome = fromNpm
    ? spawnSync(process.execPath, [npm, 'ci', ...flags], { cwd: root, stdio: ['ignore', 2, 2], env })
    : spawnSync('npm', ['ci', ...flags], {
        cwd: root,
        stdio: ['ignore', 2, 2],
        env,
        shell: process.platform === 'win32',
      });
  if (outcome.signal === 'SIGINT') process.exit(130);
  if (outcome.status !== 0)
    fail('Installing the dependencies failed; npm says why above. Mend that and run the command again.');
  writeFileSync(stampFile, wanted);
}

/** The Node 24 that came with the dependencies; on platforms without one, this Node where it is new enough. */
function findNode() {
  const modules = join(root, 'node_modules');
  for (const name of readdirSync(modules).filter(entry => /^node-(bin-)?(linux|darwin|win)-/.test(entry))) {
    const program = join(modules, name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(program) && spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0) return program;
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return process.execPath;
  return fail(
    `npm has no Node 24 for ${process.platform} ${process.arch}. Install Node ${floor.join('.')} or newer and run the command again.`,
  );
}

function scriptNames() {
  return Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts);
}

/** @returns {never} */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

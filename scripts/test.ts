// Every suite that this machine can run: `npm test [-- vitest filters]`. Ends with the totals; what can't run says why.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codex } from '../server/agents/codex.ts';
import { installAgent } from '../server/agents/install.ts';
import { codeServerDirectory, findChromium } from '../test/require.ts';
import { testAgents } from './agentPrograms.ts';
import { build, hostTarget } from './build.ts';
import { installCodeServer, missingBuildTools } from './codeServer.ts';
import { packageExtension } from './package.ts';
import { binary, root } from './root.ts';
import { toolsDirectory } from './tools.ts';

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Tests that failed once, with the first line of why. */
  readonly secondTries: readonly string[];
}

const filters = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), 'coach-tests-'));
const skipFile = join(scratch, 'skipped');
const env: NodeJS.ProcessEnv = {
  ...process.env,
  // Nothing of the user's own is read or written by a test.
  HOME: scratch,
  COACH_HOME: join(scratch, 'coach'),
  COACH_TOOLS: toolsDirectory(),
  COACH_SKIP_FILE: skipFile,
};

await build({ target: hostTarget(), dev: false });
await provideCodex();
await provideAgents();
// Minutes where it is not there yet: it is made while other suites wait for their own.
const editor = provideEditor();

const unit = await suite('unit', ['test/unit'], []);
// Real programs on a busy machine: what fails gets one more try, and is named below if that one passes. They wait for
// each other a third of the time.
const integration = await suite('integration', ['test/integration'], ['--retry=1', '--maxWorkers=3']);
await editor;
// Side by side an engine, and a workbench in a browser; of each one file at a time. The first may build an image. Whichever
// is through takes one of the pages without a workbench after the other.
const alone = ['--retry=1', '--no-file-parallelism', '--testTimeout=180000'];
const pageFiles = filters.length > 0 ? [] : filesOf('test/e2e').filter(file => file.endsWith('Page.test.ts'));
const inDocker = suite('docker', ['test/docker'], alone);
const inEditor = suite('e2e', ['test/e2e'], [...alone, ...pageFiles.flatMap(file => ['--exclude', file])]);
const pages: Totals[] = [];
const waiting = [...pageFiles];
const [docker, e2e] = await Promise.all([thenPages(inDocker), thenPages(inEditor)]);

const reasons = [...new Set(read(skipFile).split('\n').filter(Boolean))];
for (const reason of reasons) console.log(`Skipped: ${reason}`);
const suites = [unit, integration, docker, e2e, ...pages];
for (const text of suites.flatMap(totals => totals.secondTries)) console.log(`Passed on its second try: ${text}`);
const sum = (figure: 'passed' | 'failed' | 'skipped') => suites.reduce((total, totals) => total + totals[figure], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exitCode = sum('failed') === 0 && sum('passed') > 0 ? 0 : 1;

/** What a lane came to, which then takes pages as long as there are some. */
async function thenPages(lane: Promise<Totals>): Promise<Totals> {
  const totals = await lane;
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    pages.push(await suite(`page-${waiting.length}`, [file], alone));
  }
  return totals;
}

/** The real Codex CLI, from npm, kept between runs. Without it its suites are skipped and say so. */
async function provideCodex(): Promise<void> {
  if (env['COACH_TEST_CODEX'] !== undefined) return;
  try {
    const installed = await installAgent(codex, {
      cache: toolsDirectory(),
      env: process.env,
      onProgress: text => console.log(text),
    });
    env['COACH_TEST_CODEX'] = installed.directory;
  } catch (error) {
    console.log(`The Codex CLI can't be installed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Other agents' programs, kept between runs like Codex. Without one its suite is skipped and says so. */
async function provideAgents(): Promise<void> {
  for (const agent of testAgents) {
    const install = { cache: toolsDirectory(), env: process.env, onProgress: (text: string) => console.log(text) };
    await installAgent(agent, install).catch((error: unknown) => {
      console.log(`${agent.title} can't be installed: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}

/** code-server and the packaged extension, for the tests in a real workbench. Where it fails they try, and say why not. */
async function provideEditor(): Promise<void> {
  if (!chosenOf(['test/e2e']).length || findChromium() === null || missingBuildTools().length > 0) return;
  try {
    await installCodeServer(codeServerDirectory, console.log);
    env['COACH_TEST_VSIX'] = await packageExtension(hostTarget(), join(scratch, 'codex-coach.vsix'));
  } catch (error) {
    console.log(error instanceof Error ? error.message : String(error));
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(join(root, folder)).map(name => `${folder}/${name}`);
}

/** What was asked for of these folders; all of them unless something was. */
function chosenOf(folders: readonly string[]): readonly string[] {
  return filters.length > 0 ? filters.filter(filter => folders.some(folder => filter.startsWith(folder))) : folders;
}

async function suite(name: string, folders: readonly string[], flags: readonly string[]): Promise<Totals> {
  const report = join(scratch, `${name}.json`);
  const chosen = chosenOf(folders);
  if (chosen.length === 0) return totalsOf('');
  const argv = [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    '--passWithNoTests',
    ...flags,
    ...chosen,
  ];
  const exitCode = await new Promise<number>(resolve => {
    const child = spawn(binary('vitest'), argv, {
      cwd: root,
      env,
      stdio: 'inherit',
      shell: process.platform === 'win32',
    });
    child.on('exit', code => resolve(code ?? 1));
  });
  const totals = totalsOf(read(report));
  // A suite that could not even be loaded has no failed test of its own.
  return exitCode !== 0 && totals.failed === 0 ? { ...totals, failed: 1 } : totals;
}

function totalsOf(json: string): Totals {
  if (json === '') return { passed: 0, failed: 0, skipped: 0, secondTries: [] };
  const report = JSON.parse(json) as {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    testResults: { assertionResults: { status: string; fullName: string; failureMessages: string[] }[] }[];
  };
  const secondTries = report.testResults
    .flatMap(file => file.assertionResults)
    .filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0)
    .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split('\n')[0] ?? ''}`);
  const { numPassedTests, numFailedTests, numPendingTests } = report;
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests, secondTries };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

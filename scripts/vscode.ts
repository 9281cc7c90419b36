// Packages the extension and opens it: in the user's VS Code, or where there is none in code-server.
import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { hostTarget } from './build.ts';
import { installCodeServer, installExtension, startCodeServer } from './codeServer.ts';
import { packageExtension } from './package.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'code-server': { type: 'boolean', default: false } },
});
const folder = resolve(positionals[0] ?? process.env['INIT_CWD'] ?? '.');
const vsix = await packageExtension(hostTarget());
console.log(`Packed ${vsix}`);

const code = process.platform === 'win32' ? 'code.cmd' : 'code';
if (!values['code-server'] && answers(code)) openInVsCode();
else await openInCodeServer().catch(fail);

function openInVsCode(): void {
  run(code, ['--install-extension', vsix, '--force']);
  run(code, [folder]);
  console.log('Opened in VS Code. Look for Codex Coach in the activity bar.');
}

async function openInCodeServer(): Promise<void> {
  const home = process.env['COACH_HOME'] || join(process.env['HOME'] || homedir(), '.codex-coach');
  const entry = await installCodeServer(join(home, 'cache', 'code-server'), console.log);
  const profile = { profile: join(home, 'code-server'), env: process.env };
  await installExtension(entry, profile, vsix);
  const editor = await startCodeServer(entry, profile, folder, {});
  const stop = () => void editor.stop().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  editor.process.once('exit', code => process.exit(code ?? 0));
  console.log(`\n  ${editor.url}?folder=${encodeURIComponent(folder)}\n`);
  console.log('Open this address in a browser on this machine. Ctrl-C ends the editor.');
}

function answers(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore', shell: process.platform === 'win32' }).status === 0;
}

function run(program: string, args: readonly string[]): void {
  const outcome = spawnSync(program, args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (outcome.status !== 0) fail(new Error(`${program} ${args.join(' ')} failed.`));
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

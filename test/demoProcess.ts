import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { temporaryDirectory } from './temporary.ts';
import { type CliOutcome, cliProgram, type World } from './world.ts';

export const stepCount = 6;

export interface DemoProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliOutcome>;
  output(): string;
}

/** The main job as `npm start` runs it, in a process group of its own as a terminal would make one. */
export function startDemo(world: World, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): DemoProcess {
  mkdirSync(world.paths.home, { recursive: true });
  const child = spawn(process.execPath, [cliProgram, 'demo', ...args], {
    cwd: temporaryDirectory(),
    env: { ...world.env, COACH_EXECUTOR: 'local', ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const ended = new Promise<CliOutcome>(resolve =>
    child.once('close', code => resolve({ code: code ?? -1, stdout, stderr })),
  );
  return { child, ended, output: () => stdout };
}

/** Sends SIGINT to the whole group as soon as the output holds `text`. */
export async function interruptAt({ child, ended, output }: DemoProcess, text: string): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!output().includes(text)) {
    if (over) throw new Error(`The job ended before "${text}":\n${output()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  process.kill(-(child.pid ?? 0), 'SIGINT');
}

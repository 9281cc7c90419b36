import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type {
  Executor,
  Sandbox,
  SandboxCommand,
  SandboxOutcome,
  SandboxSpec,
} from '../../../server/executors/executor.ts';
import { checkoutBundle } from '../../../server/git/bundle.ts';
import { applyPatch } from '../../../server/git/patch.ts';

type Files = Map<string, Buffer>;

/** What the programs of a memory sandbox do: they change its files and answer. */
export interface MemoryPrograms {
  /** The agent, which gets its files by path relative to the repository. */
  agent?(files: Files, command: SandboxCommand, signal: AbortSignal): Promise<number> | number;
  /** The verifier's command; answers its report. */
  tests(files: Files): { report: string | null; exitCode: number; output: string };
  start?(spec: SandboxSpec): void;
}

export interface MemoryExecutor extends Executor {
  /** Names of the sandboxes that live. */
  readonly living: ReadonlySet<string>;
  /** Of those, in which something may still run. */
  readonly running: ReadonlySet<string>;
}

/** Sandboxes in memory that know the few commands which the bench itself uses; all others are the agent. */
export function memoryExecutor(programs: MemoryPrograms): MemoryExecutor {
  const living = new Set<string>();
  const running = new Set<string>();
  return {
    id: 'memory',
    title: 'Memory',
    notIsolated: ['Everything.'],
    ...{ living, running },
    probe: async () => ({ id: 'memory', title: 'Memory', available: true, detail: '', notIsolated: [] }),
    async prepare(environment) {
      const files = await throughDisk(new Map(), directory => checkoutBundle(environment.bundle, directory));
      return {
        base: null,
        async start(spec) {
          programs.start?.(spec);
          living.add(spec.name);
          if (spec.only === undefined) running.add(spec.name);
          return memorySandbox(spec, environment.workdir, new Map(files), programs, {
            onRun: () => running.add(spec.name),
            onStop: () => running.delete(spec.name),
            onRemove: () => living.delete(spec.name),
          });
        },
      };
    },
    sweep: async () => 0,
  };
}

function memorySandbox(
  spec: SandboxSpec,
  workdir: string,
  files: Files,
  programs: MemoryPrograms,
  { onRun, onStop, onRemove }: Readonly<Record<'onRun' | 'onStop' | 'onRemove', () => void>>,
): Sandbox {
  const answer = (exitCode: number, stdout = ''): SandboxOutcome => ({
    exitCode,
    stdout: Buffer.from(stdout),
    stderr: Buffer.alloc(0),
  });
  return {
    id: spec.name,
    home: '/home/agent',
    async exec(command, signal) {
      signal.throwIfAborted();
      onRun();
      command.onStarted?.();
      command.lasting?.onStarted();
      const line = command.argv.join(' ');
      const apply = async () => {
        const patch = Buffer.from(command.stdin ?? '');
        if (patch.length > 0) replace(files, await throughDisk(files, directory => applyPatch(directory, patch)));
        return answer(0);
      };
      if (line.startsWith('git apply')) return apply();
      if (command.argv.includes('run-the-tests')) {
        await apply();
        const { report, exitCode, output } = programs.tests(files);
        command.onStderr?.(Buffer.from(output));
        command.onStdout?.(Buffer.from(`ready\n${report ?? ''}`));
        return answer(exitCode);
      }
      return answer((await programs.agent?.(files, command, signal)) ?? 127);
    },
    async copyIn(hostDirectory, inside) {
      const prefix = relative(workdir, inside);
      for (const [path, content] of await readFiles(hostDirectory)) files.set(join(prefix, path), content);
    },
    readFile: async () => null,
    copyOut: (_inside, hostDirectory) => writeAll(files, hostDirectory),
    async stop() {
      onStop();
    },
    async remove() {
      onStop();
      onRemove();
    },
  };
}

function replace(files: Files, next: Files): void {
  files.clear();
  for (const [path, content] of next) files.set(path, content);
}

/** Lets real git work on the files. */
async function throughDisk(files: Files, work: (directory: string) => Promise<unknown>): Promise<Files> {
  const directory = await mkdtemp(join(tmpdir(), 'coach-memory-'));
  try {
    await writeAll(files, directory);
    await work(directory);
    return await readFiles(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeAll(files: Files, directory: string): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), content);
  }
}

async function readFiles(directory: string): Promise<Files> {
  const files: Files = new Map();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = relative(directory, join(entry.parentPath, entry.name));
    if (entry.isFile() && !path.startsWith('.git/')) files.set(path, await readFile(join(directory, path)));
  }
  return files;
}

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { binary, root } from '../../scripts/root.ts';

const startTimeoutMs = 60_000;

type Editor = typeof import('vscode');

/** An extension that runs what tests send it, to be installed beside ours. */
export const probeDirectory = join(root, 'test', 'e2e', 'host-probe');

/** Packs an extension that has nothing to be built, into `scratch`. @returns the package */
export function packPlainExtension(source: string, name: string, scratch: string): string {
  const directory = join(scratch, name);
  cpSync(source, directory, { recursive: true });
  const file = `${directory}.vsix`;
  const argv = ['package', '--no-dependencies', '--allow-missing-repository', '--skip-license', '--out', file];
  const vsce = spawnSync(binary('vsce'), argv, { cwd: directory, encoding: 'utf8' });
  if (vsce.status !== 0) throw new Error(`vsce failed:\n${vsce.stdout}${vsce.stderr}`);
  return file;
}

/** The extension host of a window: what other extensions get from ours. */
export class ExtensionHost {
  readonly #portFile: string;

  /** `portFile` is named to the window by the variable HOST_PROBE_PORT_FILE. */
  constructor(portFile: string) {
    this.#portFile = portFile;
  }

  /** Before another window is opened: its host is the one that is meant from now on. */
  forget(): void {
    rmSync(this.#portFile, { force: true });
  }

  /** @returns the port of the probe, once the host runs it */
  async started(): Promise<string> {
    for (const deadline = Date.now() + startTimeoutMs; ; await delay(100)) {
      const port = existsSync(this.#portFile) ? readFileSync(this.#portFile, 'utf8') : '';
      if (port !== '') return port;
      if (Date.now() > deadline) throw new Error('The extension host did not start.');
    }
  }

  /**
   * Runs a function there, which sees nothing but its parameters: the editor's API, and values that JSON can carry.
   * @throws Error with the words of what it threw
   */
  async run<A extends readonly unknown[], R>(
    work: (vscode: Editor, ...args: A) => R | Promise<R>,
    ...args: A
  ): Promise<R> {
    const port = await this.started();
    const body = JSON.stringify({ work: work.toString(), args });
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', body });
    const { value, error } = (await answer.json()) as { value: R; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }
}

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isAlive } from '../../base/exec.ts';

/**
 * Files that one launch gives its agent, such as settings that name the launch: in a directory that only this user
 * reads, with the name of this process, and gone after the agent's end. What a killed process has left goes with the
 * next one.
 */
export class LaunchFiles {
  readonly #place: string;
  #directory: string | null = null;

  /** @param home COACH_HOME */
  constructor(home: string) {
    this.#place = join(home, 'launched');
  }

  /** Answers the file's path. */
  readonly write = (name: string, text: string): string => {
    this.#directory ??= this.#make();
    const file = join(this.#directory, basename(name));
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };

  dispose(): void {
    if (this.#directory !== null) remove(this.#directory);
  }

  #make(): string {
    mkdirSync(this.#place, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#place)) {
      if (!isAlive(Number.parseInt(name, 10))) remove(join(this.#place, name));
    }
    return mkdtempSync(join(this.#place, `${process.pid}-`));
  }
}

function remove(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // It stays for the next one: nothing in it is of use without its launch.
  }
}

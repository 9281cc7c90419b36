import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../../scripts/root.ts';
import { screenshots, type Workbench } from './workbench.ts';

const place = join(root, 'docs', 'tour.md');
const pictures = join(root, 'docs', 'tour');

/**
 * A way through the product that a test goes and `docs/tour.md` tells, with the pictures of the run that wrote it. What
 * the page says must be what was done: COACH_WRITE_TOUR=1 writes it anew.
 */
export class Tour {
  readonly #editor: Workbench;
  readonly #parts: string[];
  readonly #names: string[] = [];

  constructor(editor: Workbench, beginning: string) {
    this.#editor = editor;
    this.#parts = [beginning];
  }

  /** Stops here: tells what was done and what is seen, with a picture. */
  async stop(name: string, title: string, text: string): Promise<void> {
    await this.#editor.screenshot(name);
    this.#names.push(name);
    this.#parts.push(`## ${this.#names.length}. ${title}`, text, `![${title}](tour/${name}.png)`);
  }

  end(): void {
    const page = `${this.#parts.join('\n\n')}\n`;
    if (process.env['COACH_WRITE_TOUR']) {
      mkdirSync(pictures, { recursive: true });
      for (const name of this.#names) copyFileSync(join(screenshots, `${name}.png`), join(pictures, `${name}.png`));
      writeFileSync(place, page);
    }
    expect(readFileSync(place, 'utf8')).toBe(page);
  }
}

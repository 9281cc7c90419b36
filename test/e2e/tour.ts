import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../../scripts/root.ts';
import { screenshots, type Workbench } from './workbench.ts';

/** How long a window that stays the same is taken to have come to rest, in milliseconds. */
const stillMs = 500;

const place = join(root, 'docs', 'tour.md');
const pictures = join(root, 'docs', 'tour');

/**
 * A way through the product that a test goes and `docs/tour.md` tells, with the pictures of the run that wrote it. What
 * the page says must be what was done, and what a picture shows what was seen; so each has its words beside it, as a
 * screen reader would say them. COACH_WRITE_TOUR=1 writes all of it anew.
 */
export class Tour {
  readonly #editor: Workbench;
  readonly #parts: string[];
  /** What was seen at each stop, by the name of its picture. */
  readonly #seen = new Map<string, string>();

  constructor(editor: Workbench, beginning: string) {
    this.#editor = editor;
    this.#parts = [beginning];
  }

  /** Stops here: tells what was done and what is seen, with a picture. */
  async stop(name: string, title: string, text: string): Promise<void> {
    let words: string;
    do {
      words = await wordsOf(this.#editor);
      await this.#editor.page.waitForTimeout(stillMs);
      await this.#editor.screenshot(name);
    } while (words !== (await wordsOf(this.#editor)));
    this.#seen.set(name, words);
    this.#parts.push(`## ${this.#seen.size}. ${title}`, text, `![${title}](tour/${name}.png)`);
  }

  end(): void {
    const page = `${this.#parts.join('\n\n')}\n`;
    const wordsBeside = (name: string) => join(pictures, `${name}.yml`);
    if (process.env['COACH_WRITE_TOUR']) {
      mkdirSync(pictures, { recursive: true });
      for (const [name, words] of this.#seen) {
        copyFileSync(join(screenshots, `${name}.png`), join(pictures, `${name}.png`));
        writeFileSync(wordsBeside(name), words);
      }
      writeFileSync(place, page);
    }
    expect(readFileSync(place, 'utf8')).toBe(page);
    for (const [name, words] of this.#seen) {
      const pictured = readFileSync(wordsBeside(name), 'utf8');
      expect(words, `docs/tour/${name}.png shows something else; COACH_WRITE_TOUR=1 takes a new one`).toBe(pictured);
    }
  }
}

/**
 * Roles, names and states of our side bar, of what is asked, and of the page that is open; not of the editor's own bars and
 * messages, nor of the buttons that views and rows have where the mouse is. Times, durations, sizes and names of runs are left out.
 */
async function wordsOf(editor: Workbench): Promise<string> {
  const { page } = editor;
  const places = [
    page.locator('.part.sidebar'),
    page.locator('.quick-input-widget'),
    page.locator('.gettingStartedSlideDetails'),
    editor.webview().locator('body'),
  ];
  const shown: string[] = [];
  for (const part of places) if (await part.isVisible()) shown.push(await part.ariaSnapshot());
  return `${shown.join('\n')}\n`
    .replaceAll(/^( *)- '?toolbar.*\n(?:\1 +.*\n)*/gm, '')
    .replaceAll(/^(( *)- .*treeitem .*\[level=\d\]'?).*\n(?:\2 +.*\n)*/gm, '$1\n')
    .replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/g, '<run>')
    .replaceAll(/\d\d:\d\d(:\d\d)?/g, '<time>')
    .replaceAll(/\d+(\.\d+)? (ms|s)\b/g, '<duration>')
    .replaceAll(/\d+(\.\d+)? k?B\b/g, '<size>');
}

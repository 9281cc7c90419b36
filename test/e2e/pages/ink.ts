import type { Locator } from 'playwright-core';

/** A mark is drawn in so many cells each way. */
const cells = 7;
/** Pixels around a mark in which a sign at its corner, or below it, stands. */
export const signs = { x: 4, y: 6 };

/** How much of each cell of the drawn marks is in other colours than the page's black: what a person sees, not what style says. */
export async function inkOf(marks: Locator, around = { x: 0, y: 0 }): Promise<number[][]> {
  const page = marks.page();
  const reader = await page.context().newPage();
  const found: number[][] = [];
  for (const mark of await marks.all()) {
    const box = await mark.boundingBox();
    if (box === null) throw new Error('A mark is not on the page.');
    const clip = {
      x: box.x - around.x,
      y: box.y - around.y,
      width: box.width + 2 * around.x,
      height: box.height + 2 * around.y,
    };
    const png = (await page.screenshot({ clip, fullPage: true })).toString('base64');
    found.push(await reader.evaluate(readInk, { png, cells }));
  }
  await reader.close();
  return found;
}

/** The least that two of the marks differ by in any cell, 0 to 1. */
export function leastDifference(inks: readonly (readonly number[])[]): number {
  const between = (a: readonly number[], b: readonly number[]) =>
    Math.max(...a.map((ink, cell) => Math.abs(ink - (b[cell] ?? 0))));
  return Math.min(...inks.flatMap((ink, index) => inks.slice(index + 1).map(other => between(ink, other))));
}

async function readInk({ png, cells: each }: { png: string; cells: number }): Promise<number[]> {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const drawing = canvas.getContext('2d');
  drawing?.drawImage(image, 0, 0);
  const pixels = drawing?.getImageData(0, 0, image.width, image.height).data ?? [];
  const inked = Array.from({ length: each * each }, () => ({ ink: 0, all: 0 }));
  for (let place = 0; place < pixels.length; place += 4) {
    const [x, y] = [(place / 4) % image.width, Math.floor(place / 4 / image.width)];
    const cell = inked[Math.floor((y * each) / image.height) * each + Math.floor((x * each) / image.width)];
    if (cell === undefined) continue;
    cell.all++;
    cell.ink += (pixels[place] ?? 0) / 255;
  }
  return inked.map(({ ink, all }) => ink / all);
}

import axe, { type AxeResults } from 'axe-core';
import type { Locator, Page } from 'playwright-core';

/** What axe-core finds serious or worse, one line each. */
export async function seriousProblems(page: Page): Promise<string[]> {
  // Run by the browser's debugger: the page's own policy lets no foreign script in.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run(document)')) as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, help, nodes }) =>
      nodes.map(node => `${id}: ${help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ''}`),
    );
}

/** Everything on the page that a person reads or hears: texts, tooltips, names for screen readers. */
export function shownWords(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const words: string[] = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) words.push(texts.currentNode.nodeValue ?? '');
    for (const name of ['title', 'aria-label', 'placeholder', 'alt']) {
      for (const element of document.body.querySelectorAll(`[${name}]`)) words.push(element.getAttribute(name) ?? '');
    }
    return words.filter(text => text.trim() !== '');
  });
}

/** What a screen reader reads of each element: not what is there for the eye alone. */
export function readOut(elements: Locator): Promise<string[]> {
  return elements.evaluateAll(all =>
    all.map(element => {
      const read = element.cloneNode(true) as Element;
      for (const unread of read.querySelectorAll('[aria-hidden="true"]')) unread.remove();
      return read.textContent ?? '';
    }),
  );
}

/**
 * Texts and boxes that stick out of what holds them, or are cut without a sign. What scrolls by itself may be wider than it
 * shows; what ends in an ellipsis has its whole text elsewhere.
 */
export function overflows(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const name = (element: Element) =>
      `${element.tagName.toLowerCase()}.${element.getAttribute('class') ?? ''} "${(element.textContent ?? '').slice(0, 60)}"`;
    const root = document.documentElement;
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide in ${innerWidth}`);
    for (const element of document.body.querySelectorAll<HTMLElement>(':not(svg, svg *)')) {
      const { clientWidth, scrollWidth } = element;
      if (clientWidth === 0 || scrollWidth <= clientWidth + 1) continue;
      const style = getComputedStyle(element);
      if (['auto', 'scroll'].includes(style.overflowX) || style.textOverflow === 'ellipsis') continue;
      // A bar of a chart is cut by its frame on purpose, and what is only read out has no size.
      if (element.matches('.bar, .meter, .iv, .sr')) continue;
      found.push(`${name(element)}: ${scrollWidth} in ${clientWidth}`);
    }
    return found;
  });
}

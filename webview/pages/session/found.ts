/** Places marked at once; more would slow the page down, and no one looks at them together. */
const maxMarks = 500;

/** Marks a text wherever the page shows it. */
export function markFound(text: string): void {
  const ranges = text === '' ? [] : rangesOf(text.toLowerCase());
  CSS.highlights.set('found', new Highlight(...ranges));
}

function rangesOf(wanted: string): Range[] {
  const list = document.getElementById('list');
  if (list === null) return [];
  const ranges: Range[] = [];
  const walker = document.createTreeWalker(list, NodeFilter.SHOW_TEXT);
  while (walker.nextNode() && ranges.length < maxMarks) {
    const node = walker.currentNode as Text;
    const text = node.data.toLowerCase();
    // A letter whose small form is longer would shift every place behind it.
    if (text.length !== node.length) continue;
    for (let from = text.indexOf(wanted); from >= 0; from = text.indexOf(wanted, from + wanted.length)) {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, from + wanted.length);
      ranges.push(range);
    }
  }
  return ranges;
}

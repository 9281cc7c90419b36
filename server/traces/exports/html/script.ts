/** The page's only script: search that also looks into what is folded, and unfolding for print. Plain JavaScript. */
export const pageScript = `
'use strict';
const find = document.getElementById('find');
const found = document.getElementById('found');
const texts = [...document.querySelectorAll('.said')];
let hits = [];
let at = -1;
function rangesIn(element, word) {
  const ranges = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.toLowerCase();
    for (let from = text.indexOf(word); from >= 0 && ranges.length < 500; from = text.indexOf(word, from + word.length)) {
      if (from + word.length > walker.currentNode.length) break;
      const range = document.createRange();
      range.setStart(walker.currentNode, from);
      range.setEnd(walker.currentNode, from + word.length);
      ranges.push(range);
    }
  }
  return ranges;
}
function show() {
  for (const text of texts) text.classList.toggle('current', text === hits[at]);
  const hit = hits[at];
  found.textContent = find.value === '' ? '' : hits.length === 0 ? 'Not found' : (at + 1) + ' of ' + hits.length;
  if (hit === undefined) return;
  if (hit.tagName === 'DETAILS') hit.open = true;
  hit.scrollIntoView({ block: 'center' });
}
function search() {
  const word = find.value.toLowerCase();
  hits = word === '' ? [] : texts.filter(text => text.textContent.toLowerCase().includes(word));
  at = hits.length === 0 ? -1 : 0;
  if (window.Highlight && CSS.highlights) {
    CSS.highlights.set('found', new Highlight(...hits.slice(0, 500).flatMap(hit => rangesIn(hit, word))));
  }
  show();
}
function step(by) {
  if (hits.length > 0) at = (at + by + hits.length) % hits.length;
  show();
}
let waiting;
find.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 150);
});
find.addEventListener('keydown', event => {
  if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
});
document.getElementById('next').addEventListener('click', () => step(1));
document.getElementById('previous').addEventListener('click', () => step(-1));
function unfold() {
  for (const text of texts) if (text.tagName === 'DETAILS') text.open = true;
}
document.getElementById('unfold').addEventListener('click', unfold);
addEventListener('beforeprint', unfold);
`;

/** What leaves room for figures beside it in a side bar of usual width. */
const maxLength = 32;

/** A title as a row of a tree can show it: cut between words where that leaves most of it. The tooltip has the whole. */
export function shortTitle(title: string): string {
  const characters = [...title];
  if (characters.length <= maxLength) return title;
  const cut = characters.slice(0, maxLength - 1).join('');
  const lastSpace = cut.lastIndexOf(' ');
  return `${(lastSpace > maxLength / 2 ? cut.slice(0, lastSpace) : cut).trimEnd()}…`;
}

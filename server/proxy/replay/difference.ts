const shownLine = 200;
const shownText = 1500;

/** The first line in which two texts differ, and both whole, each shortened. */
export function difference(expected: string, actual: string): string {
  const [left, right] = [expected.split('\n'), actual.split('\n')];
  const at = left.findIndex((line, index) => line !== right[index]);
  const line = at < 0 ? left.length : at;
  return (
    `differs in line ${line + 1}: expected ${quote(left[line])}, got ${quote(right[line])}.\n` +
    `Expected:\n${expected.slice(0, shownText)}\nGot:\n${actual.slice(0, shownText)}`
  );
}

function quote(line: string | undefined): string {
  return line === undefined ? 'nothing' : JSON.stringify(line.slice(0, shownLine));
}

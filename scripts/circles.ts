// Finds files that import each other in a circle, types included: neither can be read or moved without the other.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importsOf, sources } from './layers.ts';

/** One line per circle of the checkout at `root`: `a.ts → b.ts → a.ts`. */
export function importCircles(root: string): string[] {
  const imports = importsByFile(root);
  const circles: string[] = [];
  for (let circle = circleIn(imports); circle !== null; circle = circleIn(imports)) {
    circles.push([...circle, circle[0] as string].map(file => relative(root, file)).join(' → '));
    // Without this import the next circle is found.
    imports.get(circle.at(-1) as string)?.delete(circle[0] as string);
  }
  return circles;
}

function importsByFile(root: string): Map<string, Set<string>> {
  const folders = ['protocol', 'server', 'client', 'webview', 'perf', 'scripts'];
  const files = folders.flatMap(folder => sources(join(root, folder)));
  const imported = (file: string) =>
    importsOf(readFileSync(file, 'utf8'))
      .filter(specifier => specifier.startsWith('.'))
      .map(specifier => resolve(dirname(file), specifier));
  return new Map(files.map(file => [file, new Set(imported(file))]));
}

/** The files of one circle, each importing the next. Takes out what is in none. */
function circleIn(imports: Map<string, Set<string>>): readonly string[] | null {
  for (const path of [...imports.keys()].map(file => [file])) {
    for (let file = path.at(-1); file !== undefined; file = path.at(-1)) {
      const next = [...(imports.get(file) ?? [])].find(imported => imports.has(imported));
      if (next === undefined) {
        // All that it imports is in no circle, so it is in none either.
        imports.delete(file);
        path.pop();
      } else if (path.includes(next)) return path.slice(path.indexOf(next));
      else path.push(next);
    }
  }
  return null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const circles = importCircles(join(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const circle of circles) console.error(circle);
  process.exitCode = circles.length === 0 ? 0 : 1;
}

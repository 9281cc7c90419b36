// Checks the dependency direction of docs/architecture.md over the import statements of the code.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Zone {
  /** Folder or file, relative to the root; the longest match decides. */
  readonly path: string;
  /** Zones whose files may be imported, beside its own. */
  readonly may: readonly string[];
}

const domains = ['protocol', 'server/base'];

export const zones: readonly Zone[] = [
  { path: 'protocol', may: [] },
  { path: 'server/base', may: ['protocol', 'package.json'] },
  { path: 'server/traces', may: domains },
  { path: 'server/git', may: domains },
  { path: 'server/agents', may: domains },
  { path: 'server/executors', may: domains },
  { path: 'server/proxy', may: [...domains, 'server/traces'] },
  { path: 'server/tasks', may: [...domains, 'server/git', 'server/traces'] },
  {
    path: 'server/bench',
    may: [
      ...domains,
      'server/git',
      'server/tasks',
      'server/agents',
      'server/executors',
      'server/traces',
      'server/proxy',
    ],
  },
  { path: 'server/language', may: [...domains, 'server/tasks', 'server/agents'] },
  { path: 'server/connect.ts', may: domains },
  { path: 'server/lastingChannel.ts', may: [...domains, 'server/connect.ts'] },
  { path: 'server/surfaces', may: [...domains, 'server/connect.ts', 'server/language'] },
  // What an agent is called and which keys it reads is data.
  {
    path: 'server/surfaces/cli',
    may: [...domains, 'server/connect.ts', 'server/lastingChannel.ts', 'server/surfaces', 'server/agents'],
  },
  {
    path: 'server/setup',
    may: [
      ...domains,
      'server/connect.ts',
      'server/surfaces',
      'server/agents',
      'server/executors',
      'server/proxy',
      'server/traces',
    ],
  },
  {
    path: 'server/demo',
    may: [
      ...domains,
      'server/connect.ts',
      'server/lastingChannel.ts',
      'server/surfaces',
      'server/agents',
      'server/proxy',
      'server/tasks',
    ],
  },
  { path: 'server', may: ['protocol', 'server'] },
  { path: 'client', may: ['protocol'] },
  { path: 'webview', may: ['protocol'] },
];

interface PackageRule {
  readonly package: RegExp;
  readonly why: string;
  readonly allowed: (file: string) => boolean;
}

export const packageRules: readonly PackageRule[] = [
  { package: /^vscode$/, why: 'only the client knows the editor', allowed: file => file.startsWith('client/') },
  {
    package: /^(node:)?child_process$/,
    why: 'only base/exec.ts spawns processes',
    allowed: file => ['server/base/exec.ts', 'server/executors/shim.mjs'].includes(file) || file.startsWith('client/'),
  },
  {
    package: /^better-sqlite3$/,
    why: 'only base opens databases; stores get them from there',
    allowed: file => file.startsWith('server/base/'),
  },
  {
    package: /^node:/,
    why: 'protocol and webview run without Node',
    allowed: file => !/^(protocol|webview)\//.test(file),
  },
];

/** One line per forbidden import of the checkout at `root`. */
export function layerViolations(root: string): string[] {
  const files = ['protocol', 'server', 'client', 'webview'].flatMap(folder => sources(join(root, folder)));
  return files.flatMap(file => {
    const name = relative(root, file);
    return importsOf(readFileSync(file, 'utf8')).flatMap(specifier => {
      const fault = specifier.startsWith('.') ? layerFault(root, file, specifier) : packageFault(name, specifier);
      return fault === null ? [] : [`${name}: ${fault}`];
    });
  });
}

function layerFault(root: string, file: string, specifier: string): string | null {
  const target = relative(root, resolve(dirname(file), specifier));
  const from = zoneOf(relative(root, file));
  if (from === undefined) return null;
  const inOwn = target === from.path || target.startsWith(`${from.path}/`);
  const allowed = inOwn || from.may.some(path => target === path || target.startsWith(`${path}/`));
  return allowed ? null : `${from.path} may not import ${target}`;
}

function packageFault(file: string, specifier: string): string | null {
  const rule = packageRules.find(candidate => candidate.package.test(specifier) && !candidate.allowed(file));
  return rule === undefined ? null : `may not import ${specifier}: ${rule.why}`;
}

function zoneOf(file: string): Zone | undefined {
  return zones
    .filter(zone => file === zone.path || file.startsWith(`${zone.path}/`))
    .toSorted((a, b) => b.path.length - a.path.length)[0];
}

/** What a source file imports, types and `import()` included, as written. */
export function importsOf(source: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;
  return [...source.matchAll(pattern)].map(match => match[1] ?? match[2] ?? match[3] ?? '');
}

/** The source files below a directory. */
export function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.(ts|mts|mjs)$/.test(name))
    .map(name => join(directory, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = layerViolations(join(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const fault of faults) console.error(fault);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

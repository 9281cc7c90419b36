import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type BuildOptions, build as bundle, context, type Metafile, type Plugin } from 'esbuild';
import { root } from './root.ts';

const dist = join(root, 'dist');

/** VSIX targets with the better-sqlite3 entry that carries their binary. */
export const targets = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'alpine-x64': 'linuxmusl-x64',
  'alpine-arm64': 'linuxmusl-arm64',
  'darwin-x64': 'darwin-x64',
  'darwin-arm64': 'darwin-arm64',
  'win32-x64': 'win32-x64',
  'win32-arm64': 'win32-arm64',
} as const;
export type Target = keyof typeof targets;

/** Programs that run in Node: name in dist/, entry file. */
const programs = {
  server: 'server/main.ts',
  background: 'server/background.ts',
  cli: 'server/cli.ts',
  recorder: 'server/traces/recorder/recorderWorker.ts',
  reader: 'server/traces/reader/readerWorker.ts',
} as const;

/** Stands for packages that are imported and never used. */
const absent = './scripts/absent.cjs';

/** Files that sandboxes get as they are. */
export const copied = ['server/executors/shim.mjs', 'server/executors/hosts'];

export function isTarget(text: string): text is Target {
  return text in targets;
}

/** The target of the machine this runs on. */
export function hostTarget(): Target {
  const target = `${process.platform}-${process.arch}`;
  if (!isTarget(target)) throw new Error(`No build for ${target}. Targets: ${Object.keys(targets).join(', ')}`);
  return target;
}

/** Bundles everything for one target, into dist/ unless told otherwise. `dev` keeps names and writes source maps. */
export async function build({
  target,
  dev,
  outDir = dist,
}: {
  target: Target;
  dev: boolean;
  outDir?: string;
}): Promise<Metafile[]> {
  copyFiles(outDir);
  const bundled = await Promise.all(bundles(target, dev, outDir).map(bundle));
  const metafiles = bundled.map(({ metafile }) => metafile).filter(metafile => metafile !== undefined);
  removeStale(metafiles, outDir);
  // Comments go with minifying, and may hold what they like.
  if (!dev) for (const name of Object.keys(programs)) requireAscii(join(outDir, `${name}.cjs`));
  return metafiles;
}

/** One character beyond ASCII, and V8 keeps the whole file with two bytes for each. */
function requireAscii(file: string): void {
  const found = /.{0,40}[^\x00-\x7f]/.exec(readFileSync(file, 'latin1'));
  if (found !== null)
    throw new Error(`${file} is not plain ASCII: write \\u escapes in regular expressions. ${found[0]}`);
}

/** Bundles again after every change, until the process ends. */
export async function watch(target: Target): Promise<void> {
  copyFiles(dist);
  for (const options of bundles(target, true, dist)) await (await context({ ...options, logLevel: 'info' })).watch();
}

/** A bundle of before, or a binary of another target, must not be packed. Packages and screenshots stay. */
function removeStale(metafiles: readonly Metafile[], outDir: string): void {
  const fresh = new Set([
    ...metafiles.flatMap(({ outputs }) => Object.keys(outputs).map(path => relative(outDir, join(root, path)))),
    ...copied.map(file => basename(file)),
  ]);
  for (const name of readdirSync(outDir, { recursive: true, encoding: 'utf8' })) {
    if (/\.(cjs|mjs|js|css|node|map)$/.test(name) && !fresh.has(name)) rmSync(join(outDir, name));
  }
}

function copyFiles(outDir: string): void {
  mkdirSync(outDir, { recursive: true });
  for (const file of copied) cpSync(join(root, file), join(outDir, basename(file)));
}

function bundles(target: Target, dev: boolean, outDir: string): BuildOptions[] {
  const shared: BuildOptions = {
    absWorkingDir: root,
    bundle: true,
    minify: !dev,
    sourcemap: dev,
    metafile: true,
    logLevel: 'warning',
    // Class names are part of what users read in logs and stack traces.
    keepNames: true,
  };
  const node: BuildOptions = {
    ...shared,
    platform: 'node',
    format: 'cjs',
    target: 'node22.15',
    outExtension: { '.js': '.cjs' },
    // A CommonJS file has no import.meta; these are its equals.
    define: {
      'import.meta.url': '__moduleUrl',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
      // zod asks for it; in an extension the editor logs every such question as an error.
      navigator: 'undefined',
    },
    banner: { js: "const __moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  };
  return [
    {
      ...node,
      entryPoints: { extension: 'client/extension.ts' },
      outdir: outDir,
      external: ['vscode'],
      plugins: [loadedLater('vscode-languageclient/node', './languageClient.cjs')],
      supported: { 'dynamic-import': false },
    },
    { ...node, entryPoints: { languageClient: 'vscode-languageclient/node' }, outdir: outDir, external: ['vscode'] },
    {
      ...node,
      entryPoints: programs,
      outdir: outDir,
      alias: {
        // dockerode loads these for engines behind SSH and for BuildKit sessions, which executors/docker never uses.
        ssh2: absent,
        '@grpc/grpc-js': absent,
        '@grpc/proto-loader': absent,
        'better-sqlite3': `better-sqlite3/${targets[target]}`,
        // Its main file is a UMD module, whose own imports no bundler can follow.
        'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
      },
      loader: { '.node': 'copy' },
      assetNames: '[name]',
      plugins: [versionOnly, loadedLater('./background.ts', './background.cjs')],
      supported: { 'dynamic-import': false },
    },
    {
      ...shared,
      platform: 'browser',
      format: 'iife',
      target: 'chrome130',
      entryPoints: pages().flatMap(page => [
        { in: `webview/pages/${page}/main.ts`, out: page },
        { in: `webview/pages/${page}/${page}.css`, out: page },
      ]),
      outdir: join(outDir, 'webview'),
    },
  ];
}

/** Keeps a package in a file of its own: what is not needed to begin with need not even be parsed. */
function loadedLater(name: string, file: string): Plugin {
  return {
    name: 'loaded-later',
    setup({ onResolve }) {
      onResolve({ filter: /./ }, ({ path }) => (path === name ? { path: file, external: true } : undefined));
    },
  };
}

/** Of our manifest the programs need the version, and would keep all its 40 KB in memory. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup({ onLoad }) {
    const manifest = join(root, 'package.json');
    onLoad({ filter: /package\.json$/ }, ({ path }) => {
      if (path !== manifest) return undefined;
      const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string };
      return { contents: JSON.stringify({ version }), loader: 'json', watchFiles: [path] };
    });
  },
};

function pages(): string[] {
  return readdirSync(join(root, 'webview/pages'));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { target: { type: 'string' }, watch: { type: 'boolean', default: false } } });
  const target = values.target ?? hostTarget();
  if (!isTarget(target)) throw new Error(`Unknown target ${target}. Targets: ${Object.keys(targets).join(', ')}`);
  if (values.watch) await watch(target);
  else {
    await build({ target, dev: false });
    console.log(`Built dist/ for ${target}`);
  }
}

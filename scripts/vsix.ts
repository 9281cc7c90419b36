// Reading a VSIX back, to know that what was packed is what was meant.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { copied, type Target } from './build.ts';

const centralHeader = 0x02014b50;
const endOfDirectory = 0x06054b50;
const deflated = 8;

/** The files in a zip archive of less than 4 GB by their paths; each is unpacked when it is asked for. */
export function readArchive(file: string): ReadonlyMap<string, () => Buffer> {
  const zip = readFileSync(file);
  let end = zip.length - 22;
  while (end > 0 && zip.readUInt32LE(end) !== endOfDirectory) end--;
  const entries = new Map<string, () => Buffer>();
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== centralHeader) throw new Error(`${file} is no zip archive.`);
    const [method, size, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
    const nameEnd = at + 46 + zip.readUInt16LE(at + 28);
    entries.set(zip.toString('utf8', at + 46, nameEnd), () => {
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const content = zip.subarray(start, start + size);
      return method === deflated ? inflateRawSync(content) : content;
    });
    at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return entries;
}

/** What a package of ours consists of, below `extension/`; any other file in it is there by mistake. */
const own = [
  /^(package(\.nls)?\.json|readme\.md|changelog\.md|LICENSE\.txt)$/,
  /^dist\/(extension|languageClient|server|background|cli|recorder|reader)\.cjs$/,
  /^dist\/(shim\.mjs|hosts|THIRD-PARTY-NOTICES\.txt)$/,
  /^dist\/[a-z0-9-]+\.node$/,
  /^dist\/webview\/[a-z]+\.(js|css)$/,
  /^l10n\/bundle\.l10n(\.[\w-]+)?\.json$/,
  /^media\/(icon\.(png|svg)|run\.svg|walkthrough\/[a-z-]+\.svg|sample\/.+)$/,
];
const ofArchive: ReadonlySet<string> = new Set(['extension.vsixmanifest', '[Content_Types].xml']);

/** Why a package is not fit for a target, one line each; none when it is. */
export function faultsOf(file: string, target: Target): string[] {
  const entries = readArchive(file);
  const names = [...entries.keys()];
  const lacking = copied.map(path => `extension/dist/${basename(path)}`).filter(name => !entries.has(name));
  const foreign = names.filter(
    name => !ofArchive.has(name) && !own.some(pattern => pattern.test(name.replace(/^extension\//, ''))),
  );
  const natives = names.filter(name => name.endsWith('.node'));
  const machines = natives.map(name => machineOf(entries.get(name)?.() ?? Buffer.alloc(0)));
  const manifest = entries.get('extension.vsixmanifest')?.().toString() ?? '';
  return [
    ...lacking.map(name => `${name} is missing.`),
    ...foreign.map(name => `${name} is no part of the extension.`),
    ...(natives.length === 1 ? [] : [`${natives.length} native modules are in it instead of one.`]),
    ...machines.flatMap(machine => (machine === target ? [] : [`Its native module is for ${machine ?? 'no target'}.`])),
    ...(manifest.includes(`TargetPlatform="${target}"`) ? [] : ['Its manifest names another target.']),
  ];
}

const [elf, machO, windows] = [0x464c457f, 0xfeedfacf, 0x5a4d];

/** The target that a native module was compiled for, by its header; null when it is none of ours. */
export function machineOf(binary: Buffer): Target | null {
  if (binary.length < 64) return null;
  const magic = binary.readUInt32LE(0);
  if (magic === elf) {
    const system = binary.includes('libc.musl-') ? 'alpine' : 'linux';
    return targetOf(system, binary.readUInt16LE(18), { 62: 'x64', 183: 'arm64' });
  }
  if (magic === machO) return targetOf('darwin', binary.readUInt32LE(4), { 16777223: 'x64', 16777228: 'arm64' });
  if (binary.readUInt16LE(0) !== windows) return null;
  return targetOf('win32', binary.readUInt16LE(binary.readUInt32LE(60) + 4), { 34404: 'x64', 43620: 'arm64' });
}

function targetOf(
  system: 'linux' | 'alpine' | 'darwin' | 'win32',
  machine: number,
  known: Readonly<Record<number, 'x64' | 'arm64'>>,
): Target | null {
  const architecture = known[machine];
  return architecture === undefined ? null : `${system}-${architecture}`;
}

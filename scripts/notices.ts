import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { root } from './root.ts';

/** Licence texts of every package that is part of a bundle, as the VSIX must carry them. */
export function thirdPartyNotices(metafiles: readonly Metafile[]): string {
  const packages = [...new Set(metafiles.flatMap(metafile => Object.keys(metafile.inputs).flatMap(packageOf)))].sort();
  const sections = packages.map(directory => {
    const manifest = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8')) as Manifest;
    return `${manifest.name} ${manifest.version}\nLicence: ${licenceName(manifest)}\n\n${licenceText(directory)}`;
  });
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  return `Codex Coach contains the following packages.${line}${sections.join(line)}\n`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
}

/** The innermost package of a bundled file, as a directory under the root. */
function packageOf(input: string): string[] {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return match?.[1] === undefined ? [] : [match[1]];
}

function licenceName({ license }: Manifest): string {
  return typeof license === 'string' ? license : (license?.type ?? 'see text');
}

function licenceText(directory: string): string {
  const file = readdirSync(join(root, directory)).find(name => /^(licen[cs]e|copying)/i.test(name));
  const path = file === undefined ? null : join(root, directory, file);
  return path !== null && existsSync(path)
    ? readFileSync(path, 'utf8').trim()
    : '(The package carries no licence text.)';
}

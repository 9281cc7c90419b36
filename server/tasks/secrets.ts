import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoachError } from '../../protocol/errors.ts';
import { findSecrets } from '../base/redact/redact.ts';

/** A secret by its place. The secret itself is never repeated. */
export interface SecretPlace {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly kind: string;
}

/** Larger files are not read: keys are typed into small ones. */
const maxFileBytes = 1024 * 1024;

/** Marks a line whose key is made up, as other scanners have it. */
const allowed = /codex-coach:allow-secret|gitleaks:allow|pragma: allowlist secret/;

/** Secrets in the lines that a patch adds, by file and line after the change. */
export function secretsInPatch(patch: string): SecretPlace[] {
  const added: { path: string; line: number; text: string }[] = [];
  let path = '';
  let line = 0;
  let inHunk = false;
  for (const text of patch.split('\n')) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(text);
    if (text.startsWith('diff --git ')) inHunk = false;
    else if (!inHunk && text.startsWith('+++ '))
      path = text
        .slice(4)
        .replace(/^"?b\//, '')
        .replace(/"?\t?$/, '');
    else if (hunk) {
      line = Number(hunk[1]);
      inHunk = true;
    } else if (inHunk && text.startsWith('+')) added.push({ path, line: line++, text: text.slice(1) });
    else if (inHunk && text.startsWith(' ')) line++;
  }
  return findIn(added);
}

/** Secrets in files below a directory. Binary files, links and files over 1 MiB are not read. */
export async function secretsInFiles(root: string, paths: readonly string[]): Promise<SecretPlace[]> {
  const found: SecretPlace[] = [];
  for (const path of paths) {
    const text = await smallText(join(root, path));
    if (text !== null)
      found.push(...findIn(text.split('\n').map((line, index) => ({ path, line: index + 1, text: line }))));
  }
  return found;
}

/** @throws CoachError `task.secrets` naming every place, when there is one. */
export function refuseSecrets(found: readonly SecretPlace[], where: string): void {
  if (found.length > 0) throw secretsError(found, where);
}

export function secretsError(found: readonly SecretPlace[], where: string): CoachError {
  const places = found.slice(0, 10).map(({ path, line, kind }) => `${path}:${line} (${kind})`);
  const more = found.length > places.length ? ` and ${found.length - places.length} more` : '';
  return new CoachError('task.secrets', `${where} holds what looks like a secret: ${places.join(', ')}${more}.`, {
    hint: 'Take it out of the file, or mark a made-up one with `codex-coach:allow-secret` on its line.',
  });
}

function findIn(lines: readonly { path: string; line: number; text: string }[]): SecretPlace[] {
  const candidates = lines.filter(({ text }) => !allowed.test(text));
  return findSecrets(candidates.map(({ text }) => text).join('\n')).flatMap(({ line, kind }) => {
    // A key of many lines is reported without its place.
    const at =
      kind === 'private key' ? candidates.find(({ text }) => text.includes('PRIVATE KEY')) : candidates[line - 1];
    return at === undefined ? [] : [{ path: at.path, line: at.line, kind }];
  });
}

async function smallText(file: string): Promise<string | null> {
  const found = await lstat(file).catch(() => null);
  if (found === null || !found.isFile() || found.size > maxFileBytes) return null;
  const content = await readFile(file);
  return content.includes(0) ? null : content.toString();
}

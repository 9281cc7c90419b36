import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import { isTestPath } from '../../tasks/testing/testFiles.ts';

/** Files that decide how tests run, or what a machine runs after a push. */
const configuration: readonly RegExp[] = [
  /(?:^|\/)(?:conftest|sitecustomize|usercustomize)\.py$/,
  /(?:^|\/)(?:pytest\.ini|tox\.ini|noxfile\.py|\.coveragerc|\.mocharc\.[^/]+|karma\.conf\.[^/]+)$/,
  /(?:^|\/)(?:vitest|jest|playwright)\.(?:config|setup)\.[^/]+$/,
  /^\.(?:github\/(?:workflows|actions)|circleci|buildkite)\//,
  /^(?:\.gitlab-ci\.yml|\.travis\.yml|azure-pipelines\.yml|Jenkinsfile)$/,
];

interface PatchFile {
  readonly path: string;
  /** 1-based line of the patch at which the file begins. */
  readonly line: number;
  readonly isNew: boolean;
  /** The first line that it changes, as in the patch. */
  readonly change: string;
}

/**
 * Existing tests that a change edits or deletes, and what decides how tests run. A new test is what good work brings along.
 * `writesTests`: tests are what the task asks for.
 */
export function patchFlags(patch: string, writesTests: boolean): IntegrityFlag[] {
  return filesOf(patch).flatMap(({ path, line, isNew, change }) => {
    const kind = kindOf(path, isNew, writesTests);
    if (kind === null) return [];
    return [{ kind, evidence: change === '' ? path : `${path}: ${change}`, place: `diff.patch:${line}` }];
  });
}

function kindOf(path: string, isNew: boolean, writesTests: boolean): IntegrityFlag['kind'] | null {
  if (configuration.some(pattern => pattern.test(path))) return 'configEdit';
  return isTestPath(path) && !isNew && !writesTests ? 'testEdit' : null;
}

function filesOf(patch: string): PatchFile[] {
  const lines = patch.split('\n');
  const starts = lines.flatMap((line, index) => (line.startsWith('diff --git ') ? [index] : []));
  return starts.flatMap((start, number) => {
    const own = lines.slice(start, starts[number + 1]);
    const body = own.findIndex(line => line.startsWith('@@'));
    const head = body === -1 ? own : own.slice(0, body);
    const path = pathOf(head);
    if (path === '') return [];
    const isNew = head.some(line => line.startsWith('new file mode'));
    const change = own.slice(head.length).find(line => /^[-+]\s*\S/.test(line)) ?? '';
    return [{ path, line: start + 1, isNew, change }];
  });
}

/** The file's name before the change where it had one: that is what was edited, deleted or moved away. */
function pathOf(head: readonly string[]): string {
  const named = (prefix: string) => head.find(line => line.startsWith(prefix))?.slice(prefix.length);
  const moved = named('rename from ');
  const old = unquoted(named('--- ') ?? '');
  const now = unquoted(named('+++ ') ?? '');
  if (moved !== undefined) return unquoted(moved);
  const given = old !== '' && old !== '/dev/null' ? old : now;
  if (given !== '') return given.replace(/^[ab]\//, '');
  // A binary file, or a change of its mode alone: both names are the same.
  const names = /^diff --git (.*)$/.exec(head[0] ?? '')?.[1] ?? '';
  return unquoted(names.slice(names.length / 2 + 0.5)).replace(/^b\//, '');
}

/** Git quotes names with unusual bytes, and writes those as octal numbers. */
function unquoted(name: string): string {
  const inner = /^"(.*)"\s*$/.exec(name)?.[1];
  if (inner === undefined) return name.replace(/\t$/, '');
  const bytes = inner.replaceAll(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : code,
  );
  return Buffer.from(bytes, 'latin1').toString();
}

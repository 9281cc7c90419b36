import manifest from '../../package.json' with { type: 'json' };
import { compareVersions } from '../../protocol/versions.ts';

/** Version of this Codex Coach, `major.minor.patch`. */
export const version: string = manifest.version;

/** Lowest Node that better-sqlite3 (N-API 10) and zstd request bodies work on. */
export const nodeFloor = '22.15.0';

/** Why this Node can't run the server, in one sentence, or null. Must be asked before better-sqlite3 is loaded. */
export function nodeProblem(nodeVersion: string = process.versions.node): string | null {
  if (compareVersions(nodeVersion, nodeFloor) >= 0) return null;
  return `Codex Coach needs Node ${nodeFloor} or newer (24 is best); this is Node ${nodeVersion}. Install a newer Node and run the command again.`;
}

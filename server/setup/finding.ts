import type { CoachPaths } from '../base/paths.ts';
import type { ServerConnection } from '../connect.ts';

export interface Finding {
  readonly area: string;
  /** `note`: worth knowing. `warning`: something goes past the recording or may. `broken`: it does not work. */
  readonly level: 'ok' | 'note' | 'warning' | 'broken';
  readonly what: string;
  /** `file:line`, a file, or a variable of the environment. */
  readonly where: string | null;
  readonly why: string | null;
  readonly fix: string | null;
}

/** What the checks look at. They change none of it. */
export interface Examined {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly paths: CoachPaths;
  /** The running server; null when there is none, and none is started. */
  readonly server: ServerConnection | null;
  readonly signal: AbortSignal;
}

export type Check = (examined: Examined) => Promise<Finding[]> | Finding[];

/** A finding; what is not told is null. */
export function finding(
  area: string,
  level: Finding['level'],
  what: string,
  more: Partial<Pick<Finding, 'where' | 'why' | 'fix'>> = {},
): Finding {
  return { area, level, what, where: more.where ?? null, why: more.why ?? null, fix: more.fix ?? null };
}

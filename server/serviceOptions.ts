import type { Log } from './base/log.ts';
import type { CoachPaths } from './base/paths.ts';
import type { KnownValues } from './base/redact/knownValues.ts';
import type { Settings } from './base/settings.ts';

/** What every service is made from. */
export interface ServiceOptions {
  readonly paths: CoachPaths;
  readonly settings: Settings;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
  /** Values that are secret wherever they stand, such as those of the environment; the log hides them. */
  readonly hidden: KnownValues;
}

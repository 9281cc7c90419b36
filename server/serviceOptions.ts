import type { Log } from './base/log.ts';
import type { CoachPaths } from './base/paths.ts';
import type { Settings } from './base/settings.ts';

/** What every service is made from. */
export interface ServiceOptions {
  readonly paths: CoachPaths;
  readonly settings: Settings;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
}

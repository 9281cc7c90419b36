import { CoachError } from '../../../protocol/errors.ts';
import { environmentSettings } from '../../base/settings.ts';
import { type Check, finding } from '../finding.ts';

/** The engine that runs would use. */
export const checkDocker: Check = async ({ env }) => {
  const given = environmentSettings(env).get('docker.host') || (env['DOCKER_HOST'] ?? '');
  // Only here: every other command would wait for it to load.
  const { connectEngine, engineError } = await import('../../executors/docker/engine.ts');
  try {
    const { docker, host } = connectEngine(given);
    const { Version } = await docker.version().catch((error: unknown) => {
      throw engineError(error, host);
    });
    return [finding('docker', 'ok', `Engine ${Version}.`, { where: host })];
  } catch (error) {
    const { message, hint } = CoachError.from(error);
    const why = 'Runs use the local sandbox instead, where it can work.';
    return [finding('docker', 'note', message, { why, fix: hint })];
  }
};

import { databaseHealth } from '../../base/databaseHealth.ts';
import { traceMigrations } from '../../traces/schema.ts';
import { type Check, finding } from '../finding.ts';
import { formatBytes } from '../preview.ts';

/** The trace store: whole, how large, which schema. */
export const checkDatabase: Check = ({ paths }) => {
  const file = paths.tracesDb;
  const health = databaseHealth(file, traceMigrations);
  if (health === null) return [finding('database', 'note', 'None yet; nothing was recorded.')];
  if (health.fault !== null) {
    return [
      finding('database', 'broken', `Damaged: ${health.fault}`, {
        where: file,
        fix: `Stop the server (codex-coach server stop), then save what can be read: sqlite3 ${file} .recover`,
      }),
    ];
  }
  if (health.schema > traceMigrations.length) {
    const what = `Written by a newer Codex Coach (schema ${health.schema}, this one knows ${traceMigrations.length}).`;
    return [
      finding('database', 'broken', what, { where: file, fix: 'Update Codex Coach, or set another COACH_HOME.' }),
    ];
  }
  const size = `${formatBytes(health.sizeBytes)} and ${formatBytes(health.walBytes)} of log`;
  return [finding('database', 'ok', `Sound, ${size}, schema ${health.schema}.`, { where: file })];
};

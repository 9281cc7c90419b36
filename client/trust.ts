import { methodOf, requestsOf } from '../protocol/api.ts';
import { proxy } from '../protocol/proxy.ts';
import { server } from '../protocol/server.ts';
import { sessions } from '../protocol/sessions.ts';

const harmless = new Set([
  ...requestsOf(sessions).flatMap(([name, { readOnly }]) => (readOnly ? [methodOf(sessions.name, name)] : [])),
  methodOf(server.name, 'status'),
  methodOf(proxy.name, 'status'),
]);

/**
 * Whether a request may be made in a workspace that is not trusted: it reads what was recorded, runs no program and
 * opens nothing of the workspace.
 */
export function onlyReadsRecords(method: string): boolean {
  return harmless.has(method);
}

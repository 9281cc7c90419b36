import * as vscode from 'vscode';
import type { Coach } from '../coach.ts';
import { prefix } from '../contributions.ts';
import { setting } from '../settings.ts';

/**
 * Lets agents in all terminals of a folder be recorded, where the person turned that on. The variables belong to this
 * window and this session: nothing is kept for the next, whose proxy may listen elsewhere, and nothing is left when the
 * server is gone, since an agent would wait for a proxy that does not answer.
 */
export function routeTerminals(
  coach: Coach,
  collection: vscode.GlobalEnvironmentVariableCollection,
): vscode.Disposable {
  collection.persistent = false;
  collection.clear();
  let route = '';

  async function update(): Promise<void> {
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
    const routed = vscode.workspace.isTrusted ? folders.filter(({ uri }) => setting('terminal.record', uri)) : [];
    const env = routed.length === 0 || coach.server.state === 'down' ? {} : await environment(coach);
    const wanted = JSON.stringify([routed.map(({ uri }) => uri.toString()), env]);
    // The editor marks open terminals as outdated with every change.
    if (wanted === route) return;
    route = wanted;
    for (const folder of folders) fill(collection, folder, routed.includes(folder) ? env : {});
  }

  const updateSoon = () => void update().catch((error: unknown) => coach.log.warn(`Terminals: ${String(error)}`));
  updateSoon();
  return vscode.Disposable.from(
    { dispose: () => collection.clear() },
    vscode.workspace.onDidChangeConfiguration(event => {
      if (event.affectsConfiguration(`${prefix}.terminal.record`)) updateSoon();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(updateSoon),
    vscode.workspace.onDidGrantWorkspaceTrust(updateSoon),
    coach.server.onDidChangeState(state => {
      if (state !== 'starting') updateSoon();
    }),
  );
}

/** The proxy is started for it. */
async function environment(coach: Coach): Promise<Record<string, string | null>> {
  await coach.api.proxy.start({});
  return (await coach.api.proxy.environment({})).env;
}

function fill(
  collection: vscode.GlobalEnvironmentVariableCollection,
  workspaceFolder: vscode.WorkspaceFolder,
  env: Readonly<Record<string, string | null>>,
): void {
  const scoped = collection.getScoped({ workspaceFolder });
  scoped.clear();
  const names = Object.keys(env);
  if (names.length === 0) return;
  scoped.description = vscode.l10n.t('Agents started in terminals are recorded by Codex Coach.');
  // A stale variable can't be removed this way; empty counts as unset for those that are.
  for (const name of names) scoped.replace(name, env[name] ?? '');
}

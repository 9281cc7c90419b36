import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import { inTurn } from '../../protocol/inTurn.ts';
import { baseUrlsOf, noProxyOf } from '../../protocol/proxy.ts';
import type { Coach } from '../coach.ts';
import { prefix } from '../contributions.ts';
import { showFailure } from '../failures.ts';
import { setting } from '../settings.ts';
import { launchSecrets } from './launchSecrets.ts';
import { TerminalLaunches } from './terminalLaunches.ts';

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
  /** Of the launch that base URLs may need. */
  let token: string | null = null;
  const launches = new TerminalLaunches(coach);
  const ended = new AbortController();

  async function update(): Promise<void> {
    if (ended.signal.aborted) return;
    const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
    const routed = vscode.workspace.isTrusted ? folders.filter(({ uri }) => setting('terminal.record', uri)) : [];
    const isOff = routed.length === 0 || coach.server.state === 'down';
    const { env, token: opened } = isOff ? nothing : await environment(coach, ended.signal);
    if (ended.signal.aborted) return launches.close(opened);
    const wanted = withoutToken(JSON.stringify([routed.map(({ uri }) => uri.toString()), env]), opened);
    // The editor marks open terminals as outdated with every change.
    if (wanted === route) return launches.close(opened);
    route = wanted;
    for (const folder of folders) fill(collection, folder, routed.includes(folder) ? env : {});
    launches.leave(token);
    token = opened;
  }

  // A proxy that is slow to start would otherwise bring back what was turned off meanwhile.
  const inOrder = inTurn(() =>
    update().catch((error: unknown) => {
      if (ended.signal.aborted) return;
      if (CoachError.from(error).code === 'input.invalid') return void showFailure(error, coach.log);
      coach.log.warn(`Terminals: ${String(error)}`);
    }),
  );
  const updateSoon = () => void inOrder();
  updateSoon();
  return vscode.Disposable.from(
    {
      dispose: () => {
        ended.abort();
        collection.clear();
        // Terminals come back after a reload, with the agents in them: such a launch ends when nobody uses it any more.
        launches.leave(token);
      },
    },
    launches,
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

interface Route {
  readonly env: Readonly<Record<string, string | null>>;
  readonly token: string | null;
}

const nothing: Route = { env: {}, token: null };

/**
 * The proxy is started for it. No launch is opened once `signal` has ended.
 * @throws CoachError `input.invalid` for base URLs of the editor that can't be recorded
 */
async function environment(coach: Coach, signal: AbortSignal): Promise<Route> {
  await coach.api.proxy.start({});
  const secrets = await launchSecrets();
  signal.throwIfAborted();
  return coach.api.proxy.environment({
    noProxy: noProxyOf(process.env),
    baseUrls: baseUrlsOf(process.env),
    secrets,
  });
}

/** A launch that was opened anew leads where the one before it did. */
function withoutToken(text: string, token: string | null): string {
  return token === null ? text : text.replaceAll(token, '');
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

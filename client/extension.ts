import * as vscode from 'vscode';
import { remoteApi } from './api.ts';
import { BusyTasks } from './busyTasks.ts';
import type { Coach } from './coach.ts';
import type { CommandHandlers } from './commands/handler.ts';
import { keyCommands } from './commands/keys.ts';
import { pageCommands } from './commands/pages.ts';
import { recordCommands } from './commands/record.ts';
import { runCommands } from './commands/runs.ts';
import { serverCommands } from './commands/server.ts';
import { sessionCommands } from './commands/sessions.ts';
import { startCommands } from './commands/start.ts';
import { suiteCommands } from './commands/suites.ts';
import { taskCommands } from './commands/tasks.ts';
import { serverPlace } from './connection.ts';
import { type CommandName, commandId } from './contributions.ts';
import { showFailure } from './failures.ts';
import { ApiKeys } from './keys.ts';
import { publishMcpServer } from './mcp.ts';
import { createPanels } from './panels/panels.ts';
import { trackPresence } from './presence.ts';
import { repositories } from './repository.ts';
import { createReview } from './review/createReview.ts';
import { CoachServer } from './server.ts';
import { createStatusBar } from './statusBar.ts';
import { watchAgents } from './terminal/agentEnds.ts';
import { routeTerminals } from './terminal/routing.ts';
import { warnOfSharedCodex } from './terminal/sharedCodex.ts';
import { createTestingView } from './testing/testingView.ts';
import { stateDecorations } from './views/decorations.ts';
import { createRunsView } from './views/runs.ts';
import { createSessionsView } from './views/sessions.ts';
import { createTasksView } from './views/tasks.ts';

/** Registers everything and starts nothing: the server is connected when a view is looked at or a command needs it. */
export function activate(context: vscode.ExtensionContext): void {
  const startedMs = performance.now();
  const log = vscode.window.createOutputChannel('Codex Coach', { log: true });
  const server = new CoachServer({
    place: serverPlace(),
    program: vscode.Uri.joinPath(context.extensionUri, 'dist', 'server.cjs').fsPath,
    version: (context.extension.packageJSON as { version: string }).version,
    log,
  });
  const keys = new ApiKeys(context.secrets);
  const coach: Coach = { server, api: remoteApi(server.channel), keys, log, extensionUri: context.extensionUri };
  const panels = createPanels(coach);
  const busy = new BusyTasks();
  const tasks = createTasksView(coach, busy);
  const sessions = createSessionsView(coach);
  const views = [tasks, createRunsView(coach), sessions];
  const presence = trackPresence(coach, context.globalState, sessions.any);
  const refreshViews = () => [...views, presence].forEach(one => void one.refresh());
  const review = createReview(coach, context.workspaceState);
  const commands = {
    ...startCommands(coach),
    ...recordCommands(coach),
    ...taskCommands(coach, busy),
    ...suiteCommands(coach, panels.runs),
    ...runCommands(coach, panels.runs, tasks.checked),
    ...sessionCommands(coach, panels.runs, sessions),
    ...keyCommands(keys),
    ...pageCommands(coach, panels),
    ...review.commands,
    ...serverCommands(coach, refreshViews),
  } satisfies CommandHandlers<CommandName>;
  context.subscriptions.push(
    panels,
    busy,
    ...views,
    createStatusBar(coach),
    createTestingView(coach),
    presence,
    vscode.window.registerFileDecorationProvider(stateDecorations),
    watchAgents(coach),
    routeTerminals(coach, context.environmentVariableCollection),
    warnOfSharedCodex(),
    publishMcpServer(context.extension, server.place.home),
    review,
    ...registerCommands(commands, log),
    // Last: the others still ask something of it when they end.
    server,
    log,
  );
  log.info(`Activated in ${Math.round(performance.now() - startedMs)} ms.`);
  void keys.showPresence();
  void resume(coach);
}

function registerCommands(handlers: CommandHandlers<CommandName>, log: vscode.LogOutputChannel): vscode.Disposable[] {
  return (Object.keys(handlers) as CommandName[]).map(name =>
    vscode.commands.registerCommand(commandId(name), async (target: unknown, selection: unknown) => {
      try {
        await handlers[name](target, selection);
      } catch (error) {
        // Not awaited: the message stays until the person answers it.
        void showFailure(error, log, target);
      }
    }),
  );
}

/** A folder with tasks of ours may have a recording or a run under way: then the window shows it from the start. */
async function resume(coach: Coach): Promise<void> {
  if (!vscode.workspace.isTrusted) return;
  for (const repository of repositories()) {
    const ours = vscode.Uri.joinPath(vscode.Uri.file(repository), '.coach');
    const exists = await Promise.resolve(vscode.workspace.fs.stat(ours)).then(
      () => true,
      () => false,
    );
    if (exists) return void coach.server.connect().catch(() => undefined);
  }
}

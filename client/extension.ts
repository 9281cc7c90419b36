import * as vscode from 'vscode';
import { remoteApi } from './api.ts';
import type { Coach } from './coach.ts';
import type { CommandHandlers } from './commands/handler.ts';
import { recordCommands } from './commands/record.ts';
import { runCommands } from './commands/runs.ts';
import { serverCommands } from './commands/server.ts';
import { taskCommands } from './commands/tasks.ts';
import { serverPlace } from './connection.ts';
import { type CommandName, commandId, fileScheme, runPanelType } from './contributions.ts';
import { showFailure } from './failures.ts';
import { RunPanels } from './panels/runPanels.ts';
import { repositories } from './repository.ts';
import { RecordedFiles } from './review/files.ts';
import { CoachServer } from './server.ts';
import { createStatusBar } from './statusBar.ts';
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
  const coach: Coach = { server, api: remoteApi(server.channel), log, extensionUri: context.extensionUri };
  const panels = new RunPanels(coach);
  const views = [createTasksView(coach), createRunsView(coach), createSessionsView(coach)];
  const refreshViews = () => views.forEach(view => void view.refresh());
  const commands = {
    ...recordCommands(coach),
    ...taskCommands(coach),
    ...runCommands(coach, panels),
    ...serverCommands(coach, refreshViews),
  } satisfies CommandHandlers<CommandName>;
  context.subscriptions.push(
    log,
    server,
    panels,
    ...views,
    createStatusBar(coach),
    vscode.window.registerWebviewPanelSerializer(runPanelType, panels),
    vscode.workspace.registerFileSystemProvider(fileScheme, new RecordedFiles(coach), { isReadonly: true }),
    ...registerCommands(commands, log),
  );
  log.info(`Activated in ${Math.round(performance.now() - startedMs)} ms.`);
  void resume(coach);
}

function registerCommands(handlers: CommandHandlers<CommandName>, log: vscode.LogOutputChannel): vscode.Disposable[] {
  return (Object.keys(handlers) as CommandName[]).map(name =>
    vscode.commands.registerCommand(commandId(name), async (target: unknown, selection: unknown) => {
      try {
        await handlers[name](target, selection);
      } catch (error) {
        // Not awaited: the message stays until the person answers it.
        void showFailure(error, log);
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

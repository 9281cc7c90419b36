import * as vscode from 'vscode';
import type { AgentInfo } from '../../protocol/agents.ts';
import { CoachError } from '../../protocol/errors.ts';
import { baseUrlsOf, noProxyOf } from '../../protocol/proxy.ts';
import type { Coach } from '../coach.ts';
import { prefix } from '../contributions.ts';
import { editorHas } from '../editorCommand.ts';
import { askText, showInformation, showWarning, unlinked } from '../messages.ts';
import { offerNext } from '../nextStep.ts';
import { pickRepository, pickStart } from '../repository.ts';
import { setting } from '../settings.ts';
import { launchSecrets } from '../terminal/launchSecrets.ts';
import { ownCommand } from '../terminal/sharedCodex.ts';
import type { CommandHandlers } from './handler.ts';
import { askAndMend, checkReadiness } from './readiness.ts';
import { offerPrepare } from './tasks.ts';

type Names =
  | 'startRecording'
  | 'endRecording'
  | 'discardRecording'
  | 'checkReadiness'
  | 'openRecordedTerminal'
  | 'toggleTerminals'
  | 'testRoute'
  | 'installAgent';

/** Recording a task, and the route on which agents are recorded. */
export function recordCommands(coach: Coach): CommandHandlers<Names> {
  const unsaved = new Map<string, string>();
  return {
    startRecording: () => startRecording(coach),
    endRecording: () => endRecording(coach, unsaved),
    discardRecording: () => discardRecording(coach),
    checkReadiness: () => checkReadiness(coach),
    openRecordedTerminal: () => openRecordedTerminal(coach),
    toggleTerminals,
    testRoute: () => testRoute(coach),
    installAgent: () => installAgent(coach),
  };
}

async function startRecording(coach: Coach): Promise<void> {
  const repository = await pickStart(coach);
  if (repository === undefined) return;
  const title = await askText({
    title: vscode.l10n.t('Start Recording a Task'),
    prompt: vscode.l10n.t('What is to be done? What changes from here on becomes the solution.'),
    placeHolder: vscode.l10n.t('Add unit tests for the date parser'),
    validateInput: text => (text.trim() === '' ? vscode.l10n.t('A task needs a title.') : undefined),
  });
  if (title === undefined) return;
  const start = () => coach.api.tasks.start({ repository, title });
  try {
    await start();
  } catch (error) {
    const isMended = CoachError.from(error).code === 'git.dirty' && (await askAndMend(coach, repository));
    if (!isMended) throw error;
    await start();
  }
}

/** @param unsaved notes of recordings that could not be ended, by repository: nobody should type them twice */
async function endRecording(coach: Coach, unsaved: Map<string, string>): Promise<void> {
  const repository = await pickRepository();
  if (repository === undefined) return;
  const { files, notes } = await coach.api.tasks.recorded({ repository });
  if (files.length === 0) {
    const nothing = vscode.l10n.t('Nothing has changed since the recording started. Let the agent work first.');
    return offerNext('warning', nothing, ['discardRecording']);
  }
  const summary = await askText({
    title: vscode.l10n.t('End Recording and Create the Task'),
    prompt: [...notes, vscode.l10n.t('Notes on how it was solved (may stay empty).')].join(' '),
    value: unsaved.get(repository) ?? '',
  });
  if (summary === undefined) return;
  unsaved.set(repository, summary);
  const task = await coach.api.tasks.end({ repository, summary });
  unsaved.delete(repository);
  void remindOfPutAside(coach, repository);
  await offerPrepare(task, notes);
}

/** Changes that were put aside to start the recording, maybe in another window and days ago. */
async function remindOfPutAside(coach: Coach, repository: string): Promise<void> {
  const { waiting } = await coach.api.tasks.putAside({ repository }).catch(() => ({ waiting: false }));
  if (!waiting) return;
  const editorCommand = 'git.stashPop';
  const canPop = await editorHas(editorCommand);
  const pop = vscode.l10n.t('Pop Stash…');
  const chosen = await showInformation(
    vscode.l10n.t(
      'Changes that were put aside to start a recording still wait in the stash. Commit or undo what was recorded, then take them back: git stash pop',
    ),
    ...(canPop ? [pop] : []),
  );
  if (chosen === pop) await vscode.commands.executeCommand(editorCommand);
}

async function discardRecording(coach: Coach): Promise<void> {
  const repository = await pickRepository();
  if (repository === undefined) return;
  const discard = vscode.l10n.t('Discard Recording');
  const chosen = await showWarning(
    vscode.l10n.t('Discard the recording?'),
    { modal: true, detail: vscode.l10n.t('No task is created. Your files stay as they are.') },
    discard,
  );
  if (chosen !== discard) return;
  await coach.api.tasks.discard({ repository });
  void remindOfPutAside(coach, repository);
}

/** Agents started in this terminal are recorded where they go; the launch is forgotten when it closes. */
async function openRecordedTerminal(coach: Coach): Promise<void> {
  // As the editor does where it is told no directory.
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const { env, token } = await coach.api.proxy.launch({
    agent: 'other',
    label: 'terminal',
    ...(folder?.scheme === 'file' ? { directory: folder.fsPath } : {}),
    noProxy: noProxyOf(process.env),
    baseUrls: baseUrlsOf(process.env),
    secrets: await launchSecrets(),
  });
  const terminal = vscode.window.createTerminal({
    name: vscode.l10n.t('Coached'),
    iconPath: new vscode.ThemeIcon('record'),
    message: vscode.l10n.t('Agents started here are recorded by Codex Coach. Interactive Codex: {0}', ownCommand),
    env,
  });
  const subscription = vscode.window.onDidCloseTerminal(closed => {
    if (closed !== terminal) return;
    subscription.dispose();
    void coach.api.proxy.close({ token }).catch(() => undefined);
  });
  terminal.show();
}

/** For this workspace; terminals that are open already are marked by the editor to be started anew. */
async function toggleTerminals(): Promise<void> {
  const on = !setting('terminal.record');
  const configuration = vscode.workspace.getConfiguration(prefix);
  await configuration.update('terminal.record', on, vscode.ConfigurationTarget.Workspace);
  void showInformation(
    on
      ? vscode.l10n.t('Agents in new terminals of this workspace are recorded.')
      : vscode.l10n.t(
          'New terminals are no longer recorded, except coached ones. Open ones stay recorded until they are closed.',
        ),
  );
}

async function testRoute(coach: Coach): Promise<void> {
  const { ok, steps } = await coach.api.proxy.test({});
  await vscode.window.showQuickPick(
    steps.map(step => ({ label: `${step.ok ? '$(pass)' : '$(error)'} ${step.name}`, detail: step.detail })),
    { title: ok ? vscode.l10n.t('The recording route works') : vscode.l10n.t('The recording route is broken') },
  );
}

async function installAgent(coach: Coach): Promise<void> {
  const { rows } = await coach.api.agents.list({});
  const installable = rows.filter(agent => agent.pinnedVersion !== null);
  const describe = (agent: AgentInfo) =>
    agent.installed ? vscode.l10n.t('installed') : vscode.l10n.t('not installed');
  const chosen = await vscode.window.showQuickPick(
    installable.map(agent => ({
      label: agent.title,
      description: `${agent.pinnedVersion}, ${describe(agent)}`,
      agent,
    })),
    { title: vscode.l10n.t('Install Agent') },
  );
  if (chosen === undefined) return;
  const { id, title } = chosen.agent;
  await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: unlinked(vscode.l10n.t('Installing {0}', title)) },
    async progress => {
      const subscription = coach.api.agents.on('installProgress', ({ agent, text }) => {
        if (agent === id) progress.report({ message: unlinked(text) });
      });
      try {
        await coach.api.agents.install({ agent: id });
      } finally {
        subscription.dispose();
      }
    },
  );
}

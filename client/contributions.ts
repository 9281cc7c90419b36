import { toContribution } from '../protocol/config.ts';

/** What the extension adds to the editor, once: the manifest is written from here, the code is checked against it. */
export const prefix = 'codexCoach';

interface CommandContribution {
  readonly title: string;
  readonly icon?: string;
  /** Context-key expression without which the command is greyed out. */
  readonly enablement?: string;
}

const trusted = 'isWorkspaceTrusted';
const inRepository = `${trusted} && workspaceFolderCount > 0`;
const recording = `${prefix}.recording`;

export const commands = {
  startRecording: {
    title: 'Start Recording a Task…',
    icon: '$(record)',
    enablement: `${inRepository} && !${recording}`,
  },
  endRecording: {
    title: 'End Recording and Create the Task…',
    icon: '$(debug-stop)',
    enablement: `${inRepository} && ${recording}`,
  },
  discardRecording: { title: 'Discard Recording…', icon: '$(trash)', enablement: `${inRepository} && ${recording}` },
  checkReadiness: { title: 'Check Whether a Task Can Be Recorded', icon: '$(checklist)', enablement: inRepository },
  prepareTask: { title: 'Prepare Task', icon: '$(package)', enablement: inRepository },
  validateTask: { title: 'Validate Task', icon: '$(verified)', enablement: inRepository },
  openTaskInstruction: { title: 'Open Task Instruction', icon: '$(go-to-file)', enablement: inRepository },
  startRun: { title: 'Run Agents on Tasks…', icon: '$(play)', enablement: inRepository },
  openRun: { title: 'Open Run', icon: '$(open-preview)', enablement: trusted },
  repeatRun: { title: 'Run Again…', icon: '$(debug-rerun)', enablement: trusted },
  cancelRun: { title: 'Cancel Run…', icon: '$(circle-slash)', enablement: trusted },
  openReport: { title: 'Open Run Report', icon: '$(graph)', enablement: trusted },
  reviewDiff: { title: 'Review Diff', icon: '$(diff-multiple)', enablement: trusted },
  openSession: { title: 'Open Session', icon: '$(comment-discussion)', enablement: trusted },
  openRecordedTerminal: { title: 'New Recorded Terminal', icon: '$(terminal)', enablement: trusted },
  installAgent: { title: 'Install Agent…', icon: '$(cloud-download)', enablement: trusted },
  testRoute: { title: 'Test the Recording Route', icon: '$(pulse)', enablement: trusted },
  refresh: { title: 'Refresh', icon: '$(refresh)' },
  showStatus: { title: 'Show Status' },
  restartServer: { title: 'Restart Background Server', icon: '$(debug-restart)', enablement: trusted },
  openServerLog: { title: 'Open Server Log', icon: '$(output)' },
} as const satisfies Record<string, CommandContribution>;

export type CommandName = keyof typeof commands;

export const views = {
  tasks: { name: 'Tasks', icon: 'media/icon.svg' },
  runs: { name: 'Runs', icon: 'media/icon.svg' },
  sessions: { name: 'Sessions', icon: 'media/icon.svg' },
} as const;

export type ViewName = keyof typeof views;

export const commandId = (name: CommandName): string => `${prefix}.${name}`;
export const viewId = (name: ViewName): string => `${prefix}.${name}`;
export const serverContextKey = `${prefix}.server`;
export const recordingContextKey = recording;
export const runPanelType = `${prefix}.run`;
/** Scheme of files as they were in a trial, and of recorded conversations. */
export const fileScheme = 'codex-coach';

type ViewMenuEntry = [command: CommandName, view: ViewName, group: string, when?: string];

/** Buttons above a view. */
const titleMenu: ViewMenuEntry[] = [
  ['startRecording', 'tasks', 'navigation@1', `!${recording}`],
  ['endRecording', 'tasks', 'navigation@1', recording],
  ['startRun', 'tasks', 'navigation@2'],
  ['refresh', 'tasks', 'navigation@9'],
  ['discardRecording', 'tasks', '1_record', recording],
  ['checkReadiness', 'tasks', '1_record'],
  ['startRun', 'runs', 'navigation@1'],
  ['refresh', 'runs', 'navigation@9'],
  ['installAgent', 'runs', '1_agents'],
  ['openRecordedTerminal', 'sessions', 'navigation@1'],
  ['refresh', 'sessions', 'navigation@9'],
  ['testRoute', 'sessions', '1_route'],
];

/** Actions of a row: `inline` ones show on it, the others in its context menu. */
const itemMenu: ViewMenuEntry[] = [
  ['prepareTask', 'tasks', 'inline@1', 'viewItem == task.created'],
  ['validateTask', 'tasks', 'inline@2', 'viewItem == task.prepared'],
  ['startRun', 'tasks', 'inline@3', 'viewItem =~ /^task\\.(prepared|proven)$/'],
  ['openTaskInstruction', 'tasks', '1_open', 'viewItem =~ /^task/'],
  ['prepareTask', 'tasks', '2_do', 'viewItem =~ /^task/'],
  ['validateTask', 'tasks', '2_do', 'viewItem =~ /^task\\.(prepared|proven)$/'],
  ['startRun', 'tasks', '2_do', 'viewItem =~ /^task\\.(prepared|proven)$/'],
  ['cancelRun', 'runs', 'inline@1', 'viewItem == run.running'],
  ['openReport', 'runs', 'inline@2', 'viewItem == run.ended'],
  ['openRun', 'runs', '1_open', 'viewItem =~ /^run/'],
  ['openReport', 'runs', '1_open', 'viewItem =~ /^run/'],
  ['repeatRun', 'runs', '2_do', 'viewItem == run.ended'],
  ['cancelRun', 'runs', '2_do', 'viewItem == run.running'],
  ['reviewDiff', 'runs', 'inline@1', 'viewItem == trial.diff'],
  ['reviewDiff', 'runs', '1_open', 'viewItem == trial.diff'],
  ['openSession', 'sessions', 'inline@1', 'viewItem == session'],
  ['openSession', 'sessions', '1_open', 'viewItem == session'],
];

const link = (name: CommandName, text: string = commands[name].title): string =>
  `[${text}](command:${commandId(name)})`;

/** What an empty view says. The first entry whose condition holds is shown. */
function welcome(): object[] {
  const up = `${trusted} && ${serverContextKey} == up`;
  const empty = (name: ViewName, contents: string) => ({
    view: viewId(name),
    contents,
    when: `${up} && workspaceFolderCount > 0`,
  });
  const everyView = (Object.keys(views) as ViewName[]).flatMap(name => [
    {
      view: viewId(name),
      contents: `The background server is not running. What was recorded is kept; the ${link('openServerLog', 'server log')} may say why it ended.\n${link('restartServer')}`,
      when: `${trusted} && ${serverContextKey} == down`,
    },
    {
      view: viewId(name),
      contents:
        'This workspace is not trusted. Codex Coach starts no program in it.\n[Manage Workspace Trust](command:workbench.trust.manage)',
      when: `!${trusted}`,
    },
  ]);
  return [
    ...everyView,
    empty(
      'tasks',
      `No task yet. Record what you or an agent change from here on: the change becomes the task's solution. ${link('checkReadiness', 'Check this repository')} first.\n${link('startRecording')}`,
    ),
    empty(
      'runs',
      `No run yet. A run lets agents solve your tasks in sandboxes and judges what they did.\n${link('startRun')}`,
    ),
    {
      view: viewId('sessions'),
      contents: `No session recorded yet. An agent that is started in a recorded terminal is recorded; ${link('testRoute', 'test the route')} when it is not.\n${link('openRecordedTerminal')}`,
      when: up,
    },
    ...(['tasks', 'runs'] as const).map(name => ({
      view: viewId(name),
      contents: 'Open the folder of a git repository first.\n[Open Folder](command:vscode.openFolder)',
      when: `${trusted} && workspaceFolderCount == 0`,
    })),
  ];
}

function viewMenu(entries: readonly ViewMenuEntry[]): object[] {
  return entries.map(([command, view, group, when]) => ({
    command: commandId(command),
    when: `view == ${viewId(view)}${when === undefined ? '' : ` && ${when}`}`,
    group,
  }));
}

/** `contributes` of package.json. */
export function toContributes(): object {
  return {
    commands: Object.entries<CommandContribution>(commands).map(([name, { title, icon, enablement }]) => ({
      command: `${prefix}.${name}`,
      title,
      category: 'Codex Coach',
      ...(icon === undefined ? {} : { icon }),
      ...(enablement === undefined ? {} : { enablement }),
    })),
    configuration: toContribution(),
    viewsContainers: { activitybar: [{ id: prefix, title: 'Codex Coach', icon: 'media/icon.svg' }] },
    views: {
      [prefix]: Object.entries(views).map(([name, { name: title, icon }]) => ({
        id: `${prefix}.${name}`,
        name: title,
        icon,
        contextualTitle: 'Codex Coach',
      })),
    },
    viewsWelcome: welcome(),
    menus: { 'view/title': viewMenu(titleMenu), 'view/item/context': viewMenu(itemMenu) },
  };
}

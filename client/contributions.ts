import type { CommandContribution } from './commandContribution.ts';
import { reviewCommands } from './review/contributions.ts';

/** Names of what the extension adds to the editor. The manifest is made of them in manifest.ts, the code refers to them. */
export const prefix = 'codexCoach';

/** What this window has, as far as is known: `codexCoach.has.runs`. See presence.ts. */
export const presences = ['created', 'runnable', 'tasks', 'suites', 'runs', 'running', 'sessions'] as const;
export type Presence = (typeof presences)[number];

/** What the person has come to, kept over windows; steps of the walkthrough end with them. See presence.ts. */
export const milestones = ['sample', 'session', 'task', 'proven', 'run', 'review'] as const;
export type Milestone = (typeof milestones)[number];

export const presenceKey = (name: Presence): string => `${prefix}.has.${name}`;
export const milestoneKey = (name: Milestone): string => `${prefix}.did.${name}`;
export const serverContextKey = `${prefix}.server`;
export const recordingContextKey = `${prefix}.recording`;
export const checkedContextKey = `${prefix}.checkedTasks`;
export const filterContextKey = `${prefix}.sessionFilter`;
/** `RepositoryState` of the folder that is furthest; unset until the server said it, and without a folder. */
export const repositoryContextKey = `${prefix}.repository`;
export const keysContextKey = `${prefix}.keys`;

const trusted = 'isWorkspaceTrusted';
const inRepository = `${trusted} && workspaceFolderCount > 0`;
/** Until the server answers, nothing is known to be absent. */
const has = (name: Presence): string => `(${serverContextKey} != up || ${presenceKey(name)})`;

export const commands = {
  openWalkthrough: { title: 'Get Started', icon: '$(rocket)' },
  openSample: { title: 'Open Sample Project', icon: '$(folder-library)', enablement: trusted },
  initRepository: {
    title: 'Initialize Repository',
    icon: '$(repo)',
    enablement: `${trusted} && ${repositoryContextKey} == none`,
    palette: `${repositoryContextKey} == none`,
  },
  firstCommit: {
    title: 'Make the First Commit…',
    icon: '$(git-commit)',
    enablement: `${trusted} && ${repositoryContextKey} == empty`,
    palette: `${repositoryContextKey} == empty`,
  },
  startRecording: {
    title: 'Start Recording a Task…',
    icon: '$(record)',
    enablement: `${inRepository} && !${recordingContextKey}`,
    palette: `!${recordingContextKey}`,
  },
  endRecording: {
    title: 'End Recording and Create the Task…',
    icon: '$(debug-stop)',
    enablement: `${inRepository} && ${recordingContextKey}`,
    palette: recordingContextKey,
  },
  discardRecording: {
    title: 'Discard Recording…',
    icon: '$(trash)',
    enablement: `${inRepository} && ${recordingContextKey}`,
    palette: recordingContextKey,
  },
  checkReadiness: { title: 'Check Whether a Task Can Be Recorded', icon: '$(checklist)', enablement: inRepository },
  taskFromCommit: { title: 'Create Task from Commit…', icon: '$(git-commit)', enablement: inRepository },
  taskFromSession: {
    title: 'Save Session as Task…',
    icon: '$(save)',
    enablement: inRepository,
    palette: has('sessions'),
  },
  prepareTask: { title: 'Prepare Task', icon: '$(package)', enablement: inRepository, palette: has('created') },
  validateTask: { title: 'Validate Task', icon: '$(verified)', enablement: inRepository, palette: has('runnable') },
  editTask: { title: 'Edit Task…', icon: '$(edit)', enablement: inRepository, palette: has('tasks') },
  openTaskInstruction: {
    title: 'Open Task Instruction',
    icon: '$(go-to-file)',
    enablement: inRepository,
    palette: has('tasks'),
  },
  startRun: {
    title: 'Run Agents on Tasks…',
    icon: '$(play)',
    enablement: inRepository,
    palette: has('runnable'),
  },
  runChecked: {
    title: 'Run Checked Tasks…',
    icon: '$(run-all)',
    enablement: `${inRepository} && ${checkedContextKey}`,
    palette: checkedContextKey,
  },
  createSuite: { title: 'Create Suite…', icon: '$(add)', enablement: inRepository, palette: has('runnable') },
  addToSuite: { title: 'Add to Suite…', icon: '$(add)', enablement: inRepository, palette: has('runnable') },
  removeFromSuite: { title: 'Remove from Suite', icon: '$(remove)', enablement: inRepository, palette: 'false' },
  runSuite: { title: 'Run Suite…', icon: '$(play)', enablement: inRepository, palette: has('suites') },
  openSuite: { title: 'Open Suite File', icon: '$(go-to-file)', enablement: inRepository, palette: has('suites') },
  deleteSuite: { title: 'Delete Suite…', icon: '$(trash)', enablement: inRepository, palette: has('suites') },
  openRun: { title: 'Open Run', icon: '$(open-preview)', enablement: trusted, palette: has('runs') },
  repeatRun: { title: 'Run Again…', icon: '$(debug-rerun)', enablement: trusted, palette: has('runs') },
  cancelRun: { title: 'Cancel Run…', icon: '$(circle-slash)', enablement: trusted, palette: has('running') },
  openReport: { title: 'Open Run Report', icon: '$(graph)', enablement: trusted, palette: has('runs') },
  ...reviewCommands,
  compareRuns: { title: 'Compare Agents…', icon: '$(compare-changes)', enablement: trusted, palette: has('runs') },
  openSession: { title: 'Show Session Trace', icon: '$(comment-discussion)', palette: has('sessions') },
  replaySession: {
    title: 'Replay Session on a Task…',
    icon: '$(debug-continue)',
    enablement: inRepository,
    palette: has('sessions'),
  },
  exportSession: { title: 'Export Session…', icon: '$(export)', enablement: trusted, palette: has('sessions') },
  searchSessions: { title: 'Search Sessions…', icon: '$(search)', palette: has('sessions') },
  filterSessions: { title: 'Filter Sessions…', icon: '$(filter)', palette: has('sessions') },
  clearSessionFilter: { title: 'Clear Session Filter', icon: '$(clear-all)', palette: filterContextKey },
  openRecordedTerminal: { title: 'Open Coached Terminal', icon: '$(terminal)', enablement: trusted },
  toggleTerminals: { title: 'Turn Recording of All Terminals On or Off', enablement: inRepository },
  installAgent: { title: 'Install Agent…', icon: '$(cloud-download)', enablement: trusted },
  setApiKey: { title: 'Set API Key…', icon: '$(key)', enablement: trusted },
  forgetApiKeys: { title: 'Forget API Keys…', enablement: keysContextKey, palette: keysContextKey },
  testRoute: { title: 'Test the Recording Route', icon: '$(pulse)', enablement: trusted },
  refresh: { title: 'Refresh', icon: '$(refresh)' },
  showStatus: { title: 'Show Status' },
  restartServer: { title: 'Restart Background Server', icon: '$(debug-restart)' },
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
export const runPanelType = `${prefix}.run`;
export const sessionPanelType = `${prefix}.session`;
export const comparePanelType = `${prefix}.compare`;
/** Scheme of files as they were in a trial, and of recorded conversations. */
export const fileScheme = 'codex-coach';
/** Scheme under which rows of our views carry their state, for the file decorations. */
export const stateScheme = 'codex-coach-state';
export const extensionId = 'codex-coach.codex-coach';
export const walkthroughId = 'start';
export const mcpProviderId = `${prefix}.mcp`;

import type { RepositoryState } from '../protocol/tasks.ts';
import {
  type CommandName,
  commandId,
  commands,
  filterContextKey,
  presenceKey,
  recordingContextKey,
  repositoryContextKey,
  serverContextKey,
  type ViewName,
  viewId,
  views,
} from './contributions.ts';

const trusted = 'isWorkspaceTrusted';
const up = `${serverContextKey} == up`;
/** Sessions can be looked at in every workspace; tasks and runs belong to a trusted one. */
const usable = (name: ViewName): string => (name === 'sessions' ? '' : `${trusted} && `);

const inRepository = `${trusted} && ${up} && ${repositoryContextKey} == ready`;

const whileRecording = `${inRepository} && ${recordingContextKey}`;

interface Welcome {
  readonly view: string;
  readonly contents: string;
  readonly when: string;
}

/** What a view says when it has no rows: why, and the one next action. */
export function toWelcome(): Welcome[] {
  return [
    ...(Object.keys(views) as ViewName[]).map(serverDown),
    ...(['tasks', 'runs'] as const).flatMap(name => [notTrusted(name), noFolder(name), ...notStartable(name)]),
    {
      view: viewId('tasks'),
      contents: `No task yet. Record what you or an agent change from here on: the change becomes the task's solution. ${link('checkReadiness', 'Check this repository')} first, or make a task of ${link('taskFromCommit', 'a commit')}.\n${link('startRecording')}`,
      when: `${inRepository} && !${recordingContextKey}`,
    },
    {
      view: viewId('tasks'),
      contents: `A task is being recorded. What changes until the recording ends becomes its solution.\n${link('endRecording')}\n${link('discardRecording')}`,
      when: whileRecording,
    },
    {
      view: viewId('runs'),
      contents: `No run yet. A run lets agents solve your tasks in sandboxes and judges what they did.\n${link('startRun')}`,
      when: `${inRepository} && ${presenceKey('runnable')}`,
    },
    ...beforeTheFirstRun(),
    {
      view: viewId('sessions'),
      contents: `No session recorded yet. An agent that is started in a coached terminal is recorded; ${link('testRoute', 'test the route')} when it is not.\n${link('openRecordedTerminal', 'Coached Terminal')}`,
      when: `${trusted} && ${up} && !${filterContextKey}`,
    },
    {
      view: viewId('sessions'),
      contents: 'No session recorded yet. Agents can be recorded once this workspace is trusted.',
      when: `!${trusted} && ${up} && !${filterContextKey}`,
    },
    {
      view: viewId('sessions'),
      contents: `No session matches the filter.\n${link('clearSessionFilter')}`,
      when: `${up} && ${filterContextKey}`,
    },
  ];
}

/** What leads to a task that can be run, by how far the window is. */
function beforeTheFirstRun(): Welcome[] {
  const contents =
    'No run yet. A run lets agents solve your tasks in sandboxes and judges what they did. It needs a prepared task first.';
  const noneToRun = `${inRepository} && !${presenceKey('runnable')}`;
  const created = presenceKey('created');
  return (
    [
      ['prepareTask', created],
      ['endRecording', `!${created} && ${recordingContextKey}`],
      ['startRecording', `!${created} && !${recordingContextKey}`],
    ] as const
  ).map(([next, when]) => ({
    view: viewId('runs'),
    contents: `${contents}\n${link(next)}`,
    when: `${noneToRun} && ${when}`,
  }));
}

function serverDown(name: ViewName): Welcome {
  return {
    view: viewId(name),
    contents: `The background server is not running. What was recorded is kept; the ${link('openServerLog', 'server log')} may say why it ended.\n${link('restartServer')}`,
    when: `${usable(name)}${serverContextKey} == down`,
  };
}

function notTrusted(name: ViewName): Welcome {
  return {
    view: viewId(name),
    contents:
      'This workspace is not trusted. Codex Coach runs nothing in it; recorded sessions can be looked at.\n[Manage Workspace Trust](command:workbench.trust.manage)',
    when: `!${trusted}`,
  };
}

function noFolder(name: ViewName): Welcome {
  return {
    view: viewId(name),
    contents: `Tasks and runs belong to a git repository. Open the folder of one, or ${link('openSample', 'the sample project')}.\n[Open Folder](command:vscode.openFolder)`,
    when: `${trusted} && workspaceFolderCount == 0`,
  };
}

/** A folder that no task can start from: in no repository, or in one without a commit. */
function notStartable(name: 'tasks' | 'runs'): Welcome[] {
  const noRepository = {
    tasks: `This folder is not in a git repository. A task starts from a commit, and what changes after it is the solution. Your files stay as they are when the folder becomes a repository; to try things first, open ${link('openSample', 'the sample project')}.`,
    runs: 'No run yet. A run needs a task, and a task a git repository, which this folder is not in.',
  };
  const noCommit = {
    tasks: 'This repository has no commit yet, and a task starts from one. Look at what is to go in, and commit it.',
    runs: 'No run yet. A run needs a task, and a task a commit to start from, which this repository does not have yet.',
  };
  const when = (state: RepositoryState) => `${trusted} && ${up} && ${repositoryContextKey} == ${state}`;
  return [
    { view: viewId(name), contents: `${noRepository[name]}\n${link('initRepository')}`, when: when('none') },
    { view: viewId(name), contents: `${noCommit[name]}\n${link('firstCommit')}`, when: when('empty') },
  ];
}

function link(name: CommandName, text: string = commands[name].title): string {
  return `[${text}](command:${commandId(name)})`;
}

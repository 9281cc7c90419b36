import { toContribution } from '../protocol/config.ts';
import type { CommandContribution } from './commandContribution.ts';
import {
  type CommandName,
  checkedContextKey,
  commandId,
  commands,
  filterContextKey,
  mcpProviderId,
  prefix,
  presenceKey,
  recordingContextKey,
  repositoryContextKey,
  type ViewName,
  viewId,
  views,
} from './contributions.ts';
import { reviewContextKey, reviewMenus, reviewViewId } from './review/contributions.ts';
import { toWalkthroughs } from './walkthrough.ts';
import { toWelcome } from './welcome.ts';

type ViewMenuEntry = [command: CommandName, view: ViewName, group: string, when?: string];

/** Nothing is offered above a view that no task could start with; until the server answers, that is not known. */
const startable = `${repositoryContextKey} != none && ${repositoryContextKey} != empty`;

/** Buttons above a view. */
const titleMenu: ViewMenuEntry[] = [
  ['startRecording', 'tasks', 'navigation@1', `!${recordingContextKey} && ${startable}`],
  ['endRecording', 'tasks', 'navigation@1', recordingContextKey],
  ['startRun', 'tasks', 'navigation@2', `!${checkedContextKey} && ${startable}`],
  ['runChecked', 'tasks', 'navigation@2', checkedContextKey],
  ['refresh', 'tasks', 'navigation@9'],
  ['discardRecording', 'tasks', '1_record', recordingContextKey],
  ['checkReadiness', 'tasks', '1_record'],
  ['taskFromCommit', 'tasks', '2_from', startable],
  ['createSuite', 'tasks', '3_suites', presenceKey('runnable')],
  ['startRun', 'runs', 'navigation@1', startable],
  ['refresh', 'runs', 'navigation@9'],
  ['installAgent', 'runs', '1_agents'],
  ['setApiKey', 'runs', '1_agents'],
  ['forgetApiKeys', 'runs', '1_agents'],
  ['searchSessions', 'sessions', 'navigation@1'],
  ['filterSessions', 'sessions', 'navigation@2', `!${filterContextKey}`],
  ['clearSessionFilter', 'sessions', 'navigation@2', filterContextKey],
  ['openRecordedTerminal', 'sessions', 'navigation@3'],
  ['refresh', 'sessions', 'navigation@9'],
  ['filterSessions', 'sessions', '0_filter', filterContextKey],
  ['toggleTerminals', 'sessions', '1_route'],
  ['testRoute', 'sessions', '1_route'],
];

const runnable = 'viewItem =~ /^task\\.(prepared|proven)(\\.suite)?$/';
const inSuite = 'viewItem =~ /^(missingTask|task\\..*\\.suite)$/';

/** Actions of a row: `inline` ones show on it, the others in its context menu. */
const itemMenu: ViewMenuEntry[] = [
  ['startRun', 'tasks', 'inline@1', runnable],
  ['validateTask', 'tasks', 'inline@2', runnable],
  ['prepareTask', 'tasks', 'inline@2', 'viewItem == task.created'],
  ['editTask', 'tasks', 'inline@3', 'viewItem =~ /^task\\./'],
  ['openTaskInstruction', 'tasks', '1_open', 'viewItem =~ /^task\\./'],
  ['editTask', 'tasks', '1_open', 'viewItem =~ /^task\\./'],
  ['prepareTask', 'tasks', '2_do', 'viewItem == task.created'],
  ['validateTask', 'tasks', '2_do', runnable],
  ['startRun', 'tasks', '2_do', runnable],
  ['addToSuite', 'tasks', '3_suites', runnable],
  ['removeFromSuite', 'tasks', '3_suites', inSuite],
  ['removeFromSuite', 'tasks', 'inline@4', inSuite],
  ['runSuite', 'tasks', 'inline@1', 'viewItem == suite.whole'],
  ['openSuite', 'tasks', 'inline@2', 'viewItem =~ /^suite\\./'],
  ['openSuite', 'tasks', '1_open', 'viewItem =~ /^suite\\./'],
  ['runSuite', 'tasks', '2_do', 'viewItem =~ /^suite\\./'],
  ['deleteSuite', 'tasks', '3_suites', 'viewItem =~ /^suite\\./'],
  ['createSuite', 'tasks', 'inline@1', 'viewItem == suiteGroup'],
  ['cancelRun', 'runs', 'inline@1', 'viewItem == run.running'],
  ['openReport', 'runs', 'inline@2', 'viewItem == run.ended'],
  ['openRun', 'runs', '1_open', 'viewItem =~ /^(run|trial)/'],
  ['openReport', 'runs', '1_open', 'viewItem =~ /^run/'],
  ['repeatRun', 'runs', '2_do', 'viewItem == run.ended'],
  ['cancelRun', 'runs', '2_do', 'viewItem == run.running'],
  ['compareRuns', 'runs', '2_do', 'viewItem =~ /^run/'],
  ['reviewDiff', 'runs', 'inline@1', 'viewItem == trial.diff'],
  ['reviewDiff', 'runs', '1_open', 'viewItem == trial.diff'],
  ['openSession', 'sessions', 'inline@1', 'viewItem == session'],
  ['replaySession', 'sessions', 'inline@2', 'viewItem == session'],
  ['taskFromSession', 'sessions', 'inline@3', 'viewItem == session'],
  ['openSession', 'sessions', '1_open', 'viewItem == session'],
  ['taskFromSession', 'sessions', '2_do', 'viewItem == session'],
  ['replaySession', 'sessions', '2_do', 'viewItem == session'],
  ['exportSession', 'sessions', '2_do', 'viewItem == session'],
];

/** `contributes` of package.json, with its texts in English. */
export function toContributes(): object {
  return {
    commands: commandEntries().map(([name, { title, icon, enablement }]) => ({
      command: commandId(name),
      title,
      category: 'Codex Coach',
      ...(icon === undefined ? {} : { icon }),
      ...(enablement === undefined ? {} : { enablement }),
    })),
    configuration: toContribution(),
    viewsContainers: { activitybar: [{ id: prefix, title: 'Codex Coach', icon: 'media/icon.svg' }] },
    views: {
      [prefix]: [
        ...Object.entries(views).map(([name, { name: title, icon }]) => ({
          id: `${prefix}.${name}`,
          name: title,
          icon,
          contextualTitle: 'Codex Coach',
        })),
        {
          id: reviewViewId,
          name: 'Review',
          icon: 'media/icon.svg',
          contextualTitle: 'Codex Coach',
          when: reviewContextKey,
        },
      ],
    },
    viewsWelcome: toWelcome(),
    walkthroughs: toWalkthroughs(),
    mcpServerDefinitionProviders: [{ id: mcpProviderId, label: 'Codex Coach' }],
    menus: menus(),
  };
}

function commandEntries(): [CommandName, CommandContribution][] {
  return Object.entries<CommandContribution>(commands) as [CommandName, CommandContribution][];
}

function menus(): Record<string, object[]> {
  const all: Record<string, object[]> = {
    'view/title': viewMenu(titleMenu),
    'view/item/context': viewMenu(itemMenu),
    commandPalette: paletteMenu(),
  };
  for (const [menu, entries] of Object.entries(reviewMenus)) {
    const own = entries.map(([command, group, when]) => ({ command: commandId(command), when, group }));
    all[menu] = [...(all[menu] ?? []), ...own];
  }
  return all;
}

function paletteMenu(): object[] {
  return commandEntries().flatMap(([name, { palette }]) =>
    palette === undefined ? [] : [{ command: commandId(name), when: palette }],
  );
}

function viewMenu(entries: readonly ViewMenuEntry[]): object[] {
  return entries.map(([command, view, group, when]) => ({
    command: commandId(command),
    when: [`view == ${viewId(view)}`, when, trustOf(command)].filter(Boolean).join(' && '),
    group,
  }));
}

/** Greyed out, a button of a workspace that is not trusted would only be in the way. */
function trustOf(name: CommandName): string | null {
  const { enablement = '' }: CommandContribution = commands[name];
  return enablement.includes('isWorkspaceTrusted') ? 'isWorkspaceTrusted' : null;
}

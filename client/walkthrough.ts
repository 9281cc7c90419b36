import { type CommandName, commandId, commands, type Milestone, milestoneKey, walkthroughId } from './contributions.ts';

interface Step {
  readonly title: string;
  /** What it is good for, in a sentence or two. */
  readonly text: string;
  readonly action: CommandName;
  readonly altText: string;
}

/** From nothing to a judged run. A step is done when its milestone was reached, however that came about. */
const steps: Readonly<Record<Milestone, Step>> = {
  sample: {
    title: 'Open something to try it on',
    text: 'The sample project is a small git repository that is made on this machine. It needs no key, no Docker and no network. Your own repository does as well: this step ends with the first folder that holds one.',
    action: 'openSample',
    altText: 'A folder with five commits',
  },
  task: {
    title: 'Make a task',
    text: 'A task is what an agent is asked to do and the tests that judge it. Make one of a commit that already exists (in the sample: HEAD), or record a change while you or an agent make it.',
    action: 'taskFromCommit',
    altText: 'A commit becomes an instruction, hidden tests and a solution',
  },
  proven: {
    title: 'Prepare and prove it',
    text: 'Preparing seals the start, the hidden tests and the solution. Validating runs it in a sandbox: the solution must pass, and doing nothing or cheating must not. Both are offered one after the other in the Tasks view.',
    action: 'validateTask',
    altText: 'The reference scores 1.00, doing nothing scores 0.00',
  },
  run: {
    title: 'Run agents on it',
    text: 'Begin with Oracle and No-op, which call no model. A real agent can be answered from a recorded session (“by replay”), or call its model; then its key is asked for, kept in the editor’s secret storage and put in by the proxy, so the agent never sees it.',
    action: 'startRun',
    altText: 'Three agents, two attempts each, with their rewards',
  },
  review: {
    title: 'Look at what came out',
    text: 'The run’s page shows every trial as it happens: time, tokens, cost, tests, and what the agent changed as a native diff.',
    action: 'openRun',
    altText: 'A run page beside a diff',
  },
  session: {
    title: 'Record an agent of your own',
    text: 'What an agent says to its model in a coached terminal is recorded on this machine, with tokens, cost and timing. Nothing is sent anywhere else. A session can become a task.',
    action: 'openRecordedTerminal',
    altText: 'A terminal, the recording proxy and the model',
  },
};

/** `contributes.walkthroughs` of package.json. */
export function toWalkthroughs(): object[] {
  return [
    {
      id: walkthroughId,
      title: 'Get Started with Codex Coach',
      description: 'From nothing to a first judged run, without a key and without Docker.',
      icon: 'media/icon.png',
      steps: (Object.entries(steps) as [Milestone, Step][]).map(([milestone, { title, text, action, altText }]) => ({
        id: milestone,
        title,
        description: `${text}\n[${commands[action].title}](command:${commandId(action)})`,
        media: { svg: `media/walkthrough/${milestone}.svg`, altText },
        completionEvents: [`onContext:${milestoneKey(milestone)}`],
      })),
    },
  ];
}

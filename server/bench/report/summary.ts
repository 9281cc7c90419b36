import { type AgentFigures, type PairVerdict, sharedVerdicts } from '../../../protocol/comparison.ts';
import { plural } from '../../../protocol/figures.ts';

/** Whether it can be said to be better or worse than others: it has a verdict that is no other agent's here. */
export function isRanked(agent: AgentFigures): boolean {
  return !agent.isControl && agent.verdicts > sharedVerdicts(agent);
}

/** What a comparison comes to: who is best and how sure that is, what is open, what is cheap, and whether tasks are sound. */
export function summarise(agents: readonly AgentFigures[], pairs: readonly PairVerdict[]): string[] {
  const compared = agents.filter(isRanked);
  const [best] = compared;
  if (best === undefined) {
    const onlyControls = agents.length > 0 && agents.every(agent => agent.isControl);
    const nothing = onlyControls
      ? 'Only controls have run. Run an agent to have something to compare.'
      : 'No agent reached a verdict, so there is nothing to compare.';
    return [nothing, ...sharing(agents), controls(agents)];
  }
  return [lead(best, pairs), undecided(pairs), price(best, compared), ...sharing(agents), controls(agents)].filter(
    sentence => sentence !== null,
  );
}

function lead(best: AgentFigures, pairs: readonly PairVerdict[]): string {
  const { mean = 0, low = 0, high = 0, verdicts = 0, tasks = 0 } = best.reward ?? {};
  const over = `over ${count(verdicts, 'verdict')} on ${count(tasks, 'task')}`;
  const reached = `reward ${mean.toFixed(2)} (95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}) ${over}`;
  if (pairs.length === 0) return `${best.label} reached a ${reached}.`;
  const beaten = pairs.filter(pair => pair.isEnough);
  const tied = pairs.filter(pair => pair.difference === 0);
  if (tied.length === pairs.length) {
    return `${[best.label, ...tied.map(pair => pair.second)].join(' and ')} did equally well: ${reached}.`;
  }
  const proof = beaten.map(
    pair => `than ${pair.second} on ${pair.better} of ${count(pair.tasks, 'task')} (${pText(pair.pValue)})`,
  );
  return `${best.label} did best: ${reached}${proof.length === 0 ? '' : `, better ${proof.join(' and ')}`}.`;
}

function undecided(pairs: readonly PairVerdict[]): string | null {
  const open = pairs.filter(pair => !pair.isEnough && pair.difference !== 0);
  const [first] = open;
  if (first === undefined) return null;
  const { second, difference, pValue, moreTasks } = first;
  const others = open.slice(1).map(pair => pair.second);
  const also = others.length === 0 ? '' : `, nor ${others.join(', nor ')}`;
  return (
    `Not enough evidence that it is better than ${second}${also}: ` +
    `the difference of ${difference.toFixed(2)} could be chance (${pText(pValue)})${settle(moreTasks)}.`
  );
}

/** Sizes are for the unadjusted test: with several pairs more may be needed. */
function settle(moreTasks: number | null): string {
  if (moreTasks === null || moreTasks === 0) return '';
  return `, and ${settling(moreTasks)} would settle it if the difference holds`;
}

/** Beyond some hundreds the figure says only that the two are alike. */
export function settling(moreTasks: number): string {
  if (moreTasks > 500) return 'only many hundreds of tasks more';
  return `about ${moreTasks} more ${plural(moreTasks, 'task')}`;
}

function price(best: AgentFigures, compared: readonly AgentFigures[]): string | null {
  const bestCost = best.costPerTrial.amountUsd;
  const bestReward = best.reward?.mean ?? 0;
  if (bestCost === null || bestCost === 0 || bestReward === 0) return null;
  const cheaper = compared
    .filter(agent => agent.isOnFront === true && agent.label !== best.label)
    .toSorted((a, b) => (b.reward?.mean ?? 0) - (a.reward?.mean ?? 0))[0];
  if (cheaper === undefined) return null;
  const share = (part: number, whole: number) => `${Math.round((part / whole) * 100)} %`;
  const reward = share(cheaper.reward?.mean ?? 0, bestReward);
  return `${cheaper.label} reaches ${reward} of its reward at ${share(cheaper.costPerTrial.amountUsd ?? 0, bestCost)} of its cost per trial.`;
}

/** Verdicts that stand under two agents are no more evidence than they are under one. */
function sharing(agents: readonly AgentFigures[]): string[] {
  return agents.flatMap(({ label, verdicts, shared }) =>
    shared.map(part =>
      part.verdicts === verdicts
        ? `${verdicts === 1 ? 'The verdict' : `All ${verdicts} verdicts`} of ${label} ${verdicts === 1 ? 'is that' : 'are those'} of ${part.with}, reused: the same evidence, which says nothing about a difference between the two.`
        : `${part.verdicts} of ${verdicts} verdicts of ${label} are those of ${part.with}, reused; where the two are compared they count once.`,
    ),
  );
}

function controls(agents: readonly AgentFigures[]): string {
  const oracles = agents.filter(agent => agent.agentId === 'oracle');
  const nops = agents.filter(agent => agent.agentId === 'nop');
  if (oracles.length + nops.length === 0) {
    return 'Neither the reference solution nor the no-op ran along, so these trials do not check their tasks.';
  }
  const parts = [
    ...(oracles.length === 0 ? [] : [`the reference solution scored ${scored(oracles)}`]),
    ...(nops.length === 0 ? [] : [`changing nothing scored ${scored(nops)}`]),
  ];
  const isSound = (control: AgentFigures, reward: number) => (control.reward?.mean ?? reward) === reward;
  const sound = oracles.every(oracle => isSound(oracle, 1)) && nops.every(nop => isSound(nop, 0));
  const text = `${parts.join(' and ')}${sound ? ', as it must be' : ', so the tasks or the sandbox are not sound'}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a control of one run or several scored: one figure, or each with its label where they differ. */
function scored(controls: readonly AgentFigures[]): string {
  const told = controls.map(({ label, reward }) => ({ label, score: reward?.mean.toFixed(2) ?? 'no verdict' }));
  const scores = [...new Set(told.map(({ score }) => score))];
  return scores.length === 1 ? scores.join() : told.map(({ label, score }) => `${score} (${label})`).join(', ');
}

/** `p = 0.02`, never a p of 0. */
export function pText(pValue: number): string {
  return pValue < 0.001 ? 'p < 0.001' : `p = ${pValue.toFixed(pValue < 0.1 ? 3 : 2)}`;
}

function count(number: number, word: string): string {
  return `${number} ${plural(number, word)}`;
}

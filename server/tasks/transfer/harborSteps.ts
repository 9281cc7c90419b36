import { fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import type { ForeignStep } from './foreignTask.ts';
import type { HarborStep, HarborToml } from './harborSchema.ts';
import { resolved, solveCommand } from './harborVariables.ts';

/** The steps of a Harbor task. The tests of a step are those that all share, with its own put over them. */
export function readSteps(toml: HarborToml, nodes: readonly TreeNode[]): ForeignStep[] {
  return toml.steps.map(step => {
    const place = `steps/${step.name}`;
    const own = filesUnder(nodes, `${place}/tests`);
    const shared = filesUnder(nodes, 'tests').filter(file => !own.some(({ path }) => path === file.path));
    const solution = filesUnder(nodes, `${place}/solution`);
    return {
      name: step.name,
      instruction: fileOf(nodes, `${place}/instruction.md`)?.content.toString().trim() ?? '',
      tests: [...shared, ...own],
      verifierEnv: resolved(step.verifier.env),
      verifierTimeoutSec: step.verifier.timeout_sec ?? toml.verifier.timeout_sec,
      solution,
      solveCommand: solution.some(file => file.path === 'solve.sh') ? solveCommand(resolved(toml.solution.env)) : null,
      workdirFiles: filesUnder(nodes, `${place}/workdir`),
      minRewards: typeof step.min_reward === 'number' ? { reward: step.min_reward } : (step.min_reward ?? {}),
    };
  });
}

/** What of the steps is understood and can't be done, in one phrase each. */
export function stepProblems(toml: HarborToml, steps: readonly ForeignStep[]): string[] {
  const names = new Set(steps.map(step => step.name));
  return [
    ...(names.size < steps.length ? ['task.toml [[steps]]: two have the same name'] : []),
    ...steps.flatMap(step => [
      ...(step.instruction === '' ? [`steps/${step.name}/instruction.md is missing or empty`] : []),
      ...(step.tests.some(file => file.path === 'test.sh') ? [] : [`steps/${step.name}/tests/test.sh is missing`]),
    ]),
    ...toml.steps
      .filter(hasOwnEnvironment)
      .map(step => `${placeOf(step)} verifier.environment: an environment per step`),
    ...toml.steps
      .filter(step => step.artifacts.length > 0)
      .map(step => `${placeOf(step)} artifacts: artifacts per step`),
  ];
}

function hasOwnEnvironment({ verifier }: HarborStep): boolean {
  return verifier.environment !== undefined || verifier.environment_mode !== undefined;
}

function placeOf({ name }: HarborStep): string {
  return `task.toml [[steps]] ${name}`;
}

/** What an agent reads of the whole task in lists; in a trial it is given one step at a time. */
export function instructionOf(steps: readonly ForeignStep[]): string {
  return steps.map((step, index) => `Step ${index + 1}, ${step.name}:\n\n${step.instruction}`).join('\n\n');
}

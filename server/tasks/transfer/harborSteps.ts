import { fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import type { ForeignStep } from './foreignTask.ts';
import type { HarborToml } from './harborSchema.ts';
import { resolved, solveCommand } from './harborVariables.ts';
import { readStepEnvironment, stepArtifactPaths } from './harborVerifier.ts';

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
      verifierEnvironment: readStepEnvironment(step, toml, nodes),
      artifacts: stepArtifactPaths(step),
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
      ...(isWithoutImage(step) ? [`steps/${step.name}/tests/Dockerfile has no FROM`] : []),
    ]),
    ...toml.steps
      .filter(({ verifier }) => verifier.environment_mode === 'shared' && verifier.environment !== undefined)
      .map(({ name }) => `task.toml [[steps]] ${name} environment_mode "shared" contradicts its verifier.environment`),
  ];
}

function isWithoutImage({ verifierEnvironment: own }: ForeignStep): boolean {
  return own !== null && own !== 'agent' && own.baseImage === '';
}

/** What an agent reads of the whole task in lists; in a trial it is given one step at a time. */
export function instructionOf(steps: readonly ForeignStep[]): string {
  return steps.map((step, index) => `Step ${index + 1}, ${step.name}:\n\n${step.instruction}`).join('\n\n');
}

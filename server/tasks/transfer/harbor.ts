import { parse as parseToml } from 'smol-toml';
import { fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import { readDockerfile, workdirProblem } from './dockerfile.ts';
import { type ForeignTask, Unsupported } from './foreignTask.ts';
import { type HarborEnvironment, type HarborStep, HarborToml, harborVersions } from './harborSchema.ts';
import { instructionOf, readSteps, stepProblems } from './harborSteps.ts';
import { resolved, solveCommand } from './harborVariables.ts';
import { artifactPaths, artifactProblems, readVerifierEnvironment } from './harborVerifier.ts';
import { cannotImport, readTaskFile } from './taskFile.ts';

/** Memory of every sandbox here, in MiB. */
const sandboxMemoryMb = 4096;

/**
 * Reads a Harbor task directory.
 * @param path for messages
 * @throws CoachError `input.invalid` for what is no such task, `task.unsupported` naming what sandboxes here don't have
 */
export function readHarbor(nodes: readonly TreeNode[], path: string, directoryName: string): ForeignTask {
  const toml = parseHarborToml(nodes, path);
  refuseUnsupported(toml, nodes, path);
  const { environment, verifier } = toml;
  const context = filesUnder(nodes, 'environment').filter(file => file.path !== 'Dockerfile');
  const given = fileOf(nodes, 'environment/Dockerfile')?.content.toString() ?? null;
  const dockerfile = environment.docker_image === undefined ? given : `FROM ${environment.docker_image}\n`;
  const read = readDockerfile(dockerfile ?? '', context);
  const workdir = environment.workdir ?? read.workdir ?? '/';
  const instruction = fileOf(nodes, 'instruction.md')?.content.toString().trim() ?? '';
  const tests = filesUnder(nodes, 'tests');
  const solution = filesUnder(nodes, 'solution');
  const name = toml.task?.name ?? directoryName;
  const tags = toml.metadata.tags;
  const steps = readSteps(toml, nodes);
  const verifierEnvironment = readVerifierEnvironment(toml, nodes);
  return {
    format: 'harbor',
    name,
    title: toml.task?.description || name,
    tags: [...(toml.task?.keywords ?? []), ...(Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : [])],
    instruction: steps.length === 0 ? instruction : instructionOf(steps),
    baseImage: read.baseImage ?? '',
    dockerfile: `${dockerfile ?? ''}${toEnvLines(environment.env)}`,
    context,
    workdir,
    start: read.start,
    tests,
    verifier: {
      command: 'bash /tests/test.sh',
      env: { ...resolved(environment.env), ...resolved(verifier.env) },
      timeoutSec: verifier.timeout_sec,
    },
    agentTimeoutSec: toml.agent.timeout_sec,
    solution,
    solveCommand: solution.some(file => file.path === 'solve.sh') ? solveCommand(resolved(toml.solution.env)) : null,
    solutionPatch: null,
    ...(steps.length === 0 ? {} : { steps: { rewards: toml.multi_step_reward_strategy, each: steps } }),
    ...(verifierEnvironment === null ? {} : { verifierEnvironment }),
    artifacts: artifactPaths(toml),
    rubrics: [],
    cannotRun: [
      ...(instruction === '' && steps.length === 0 ? ['instruction.md is missing or empty'] : []),
      ...(read.baseImage === null
        ? ['there is no environment/Dockerfile with a FROM and no [environment] docker_image']
        : []),
      ...(read.baseImage !== null && workdirProblem(workdir) !== null ? [workdirProblem(workdir) ?? ''] : []),
      ...(steps.length > 0 || tests.some(file => file.path === 'test.sh') ? [] : ['tests/test.sh is missing']),
      ...stepProblems(toml, steps),
      ...(verifierEnvironment?.baseImage === '' ? ['tests/Dockerfile has no FROM'] : []),
      ...artifactProblems(toml, workdir),
      ...memoryProblem(toml),
    ],
    notes: differences(toml),
  };
}

function parseHarborToml(nodes: readonly TreeNode[], path: string): HarborToml {
  const hint = 'It must be the task.toml of a Harbor task, schema 1.0 to 1.4.';
  const name = 'task.toml';
  const toml = readTaskFile(nodes, path, { name, language: 'TOML', parse: parseToml, schema: HarborToml, hint });
  const invalid = (why: string) => cannotImport(`${path}/${name}`, why, hint);
  const version = toml.schema_version ?? toml.version ?? '1.0';
  if (!harborVersions.includes(version))
    throw invalid(`its schema ${version} is not known (${harborVersions.join(', ')})`);
  if (toml.verifier.environment_mode === 'shared' && toml.verifier.environment !== undefined) {
    throw invalid('[verifier] environment_mode "shared" contradicts [verifier.environment]');
  }
  return toml;
}

/** What would change a verdict, or what an agent can do, and is not there. */
function refuseUnsupported(toml: HarborToml, nodes: readonly TreeNode[], path: string): void {
  const found = new Unsupported();
  environmentNeeds(toml.environment, 'task.toml [environment]', found);
  if (toml.verifier.environment) environmentNeeds(toml.verifier.environment, 'task.toml [verifier.environment]', found);
  for (const part of ['agent', 'verifier'] as const) {
    const place = `task.toml [${part}]`;
    if (toml[part].user !== undefined) found.add(`${place} user`, 'commands always run as one user without rights');
    if (toml[part].network_mode === 'allowlist') found.add(`${place} network_mode`, 'a list of allowed hosts');
  }
  if (toml.verifier.collect.length > 0) found.add('task.toml [[verifier.collect]]', 'commands that collect evidence');
  environmentVariables(
    { 'environment.env': toml.environment.env, 'verifier.env': toml.verifier.env, 'solution.env': toml.solution.env },
    found,
  );
  for (const step of toml.steps) stepNeeds(step, found);
  const contexts = ['environment', 'tests', ...toml.steps.map(({ name }) => `steps/${name}/tests`)];
  for (const file of contexts.flatMap(place => composeFiles.map(name => `${place}/${name}`))) {
    if (nodes.some(node => node.path === file)) found.add(file, 'services put together by Docker Compose');
  }
  found.refuse(path);
}

function stepNeeds({ name, agent, verifier, healthcheck }: HarborStep, found: Unsupported): void {
  const place = `task.toml [[steps]] ${name}`;
  if (verifier.environment) environmentNeeds(verifier.environment, `${place} [verifier.environment]`, found);
  if (healthcheck !== undefined) found.add(place, 'a health check');
  if (agent.user !== undefined || verifier.user !== undefined) {
    found.add(`${place} user`, 'commands always run as one user without rights');
  }
  if (verifier.collect.length > 0) found.add(`${place} verifier.collect`, 'commands that collect evidence');
  if ([agent, verifier].some(part => part.network_mode === 'allowlist' || part.allowed_hosts.length > 0)) {
    found.add(`${place} network_mode`, 'a list of allowed hosts');
  }
  environmentVariables({ [`steps.verifier.env] of [${name}`]: verifier.env }, found);
}

const composeFiles = ['docker-compose.yaml', 'docker-compose.yml', 'compose.yaml', 'compose.yml'];

function environmentNeeds(environment: HarborEnvironment, place: string, found: Unsupported): void {
  if (environment.gpus > 0 || (environment.gpu_types ?? []).length > 0) found.add(`${place} gpus`, 'GPUs');
  if (environment.tpu !== undefined) found.add(`${place} tpu`, 'TPUs');
  if (environment.os === 'windows') found.add(`${place} os`, 'Windows');
  if (environment.network_mode === 'allowlist' || environment.allowed_hosts.length > 0) {
    found.add(`${place} network_mode`, 'a list of allowed hosts');
  }
  if (environment.healthcheck !== undefined) found.add(`${place} healthcheck`, 'a health check');
  if (environment.mcp_servers.length > 0) found.add(`${place} mcp_servers`, 'MCP servers');
  if (environment.skills_dir) found.add(`${place} skills_dir`, 'skills');
}

/** `${NAME}` would bring a variable of this machine, perhaps a key, into a sandbox. */
function environmentVariables(
  tables: Readonly<Record<string, Readonly<Record<string, string>>>>,
  found: Unsupported,
): void {
  for (const [table, env] of Object.entries(tables)) {
    for (const [name, value] of Object.entries(env)) {
      if (/\$\{\w+\}/.test(value)) found.add(`task.toml [${table}] ${name}`, `the variable ${value} of this machine`);
    }
  }
}

function toEnvLines(env: Readonly<Record<string, string>>): string {
  const lines = Object.entries(resolved(env)).map(
    ([name, value]) => `ENV ${name}=${JSON.stringify(value).replaceAll('$', '\\$')}\n`,
  );
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

function memoryProblem({ environment }: HarborToml): string[] {
  const memoryMb = environment.memory_mb ?? toMegabytes(environment.memory);
  if (memoryMb <= sandboxMemoryMb) return [];
  return [`task.toml [environment] memory_mb: ${memoryMb}, and sandboxes have ${sandboxMemoryMb}`];
}

function toMegabytes(memory: string | undefined): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?$/i.exec(memory ?? '');
  const factors: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 ** 2 };
  return match === null ? 0 : Number(match[1]) * (factors[(match[2] ?? '').toUpperCase()] ?? 1 / 1024 ** 2);
}

function differences(toml: HarborToml): string[] {
  const { environment, verifier } = toml;
  const mode = environment.network_mode ?? (environment.allow_internet === false ? 'no-network' : 'public');
  const isPublic = mode === 'public' && (toml.agent.network_mode ?? mode) === 'public';
  return [
    ...(isPublic ? ['The task allows the whole network; sandboxes here reach the model and nothing else.'] : []),
    ...(verifier.environment_mode === 'separate'
      ? []
      : ['The verifier runs in a fresh sandbox with the changed files of the working directory, not in the agent’s.']),
    ...(toml.steps.length === 0
      ? []
      : [
          'Each step begins in a fresh sandbox with what the steps before left in the working directory and as artifacts, and nothing else of them.',
        ]),
    ...(environment.cpus !== undefined && environment.cpus > 2
      ? [`The task asks for ${environment.cpus} CPUs; sandboxes here have at most 2.`]
      : []),
  ];
}

import { fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import { readDockerfile } from './dockerfile.ts';
import type { ForeignEnvironment } from './foreignTask.ts';
import type { HarborEnvironment, HarborStep, HarborToml } from './harborSchema.ts';

/** What Harbor takes out of every sandbox whose verifier runs in another one. */
const conventional = '/logs/artifacts';

interface VerifierMode {
  readonly environment_mode?: 'shared' | 'separate' | undefined;
  readonly environment?: HarborEnvironment | undefined;
}

/** The environment that a separate verifier brings, as an image or as tests/Dockerfile; null where it has the agent's. */
export function readVerifierEnvironment(
  { verifier, environment }: HarborToml,
  nodes: readonly TreeNode[],
): ForeignEnvironment | null {
  return isSeparate(verifier) ? ownEnvironment(verifier, environment, 'tests', nodes) : null;
}

/** The same for one step; `agent` where it says so, null where it is as the task says. */
export function readStepEnvironment(
  { verifier, name }: HarborStep,
  { environment }: HarborToml,
  nodes: readonly TreeNode[],
): ForeignEnvironment | 'agent' | null {
  if (isSeparate(verifier)) return ownEnvironment(verifier, environment, `steps/${name}/tests`, nodes);
  return verifier.environment_mode === 'shared' ? 'agent' : null;
}

function isSeparate({ environment, environment_mode }: VerifierMode): boolean {
  return environment !== undefined || environment_mode === 'separate';
}

/** @param place of the verifier's files, which are its build context */
function ownEnvironment(
  { environment }: VerifierMode,
  ofAgent: HarborEnvironment,
  place: string,
  nodes: readonly TreeNode[],
): ForeignEnvironment | null {
  const context = filesUnder(nodes, place).filter(file => file.path !== 'Dockerfile');
  const given = fileOf(nodes, `${place}/Dockerfile`)?.content.toString() ?? null;
  const image = environment?.docker_image;
  if (given === null && (image === undefined || image === ofAgent.docker_image)) return null;
  const dockerfile = image === undefined ? (given ?? '') : `FROM ${image}\n`;
  const { baseImage, workdir } = readDockerfile(dockerfile, context);
  return { baseImage: baseImage ?? '', dockerfile, context, workdir: environment?.workdir ?? workdir ?? '/' };
}

/** Absolute paths of what agents leave for their verifiers, besides changes in the working directory where those are shared. */
export function artifactPaths(toml: HarborToml): string[] {
  const isApart = [toml, ...toml.steps].some(({ verifier }) => isSeparate(verifier));
  return [...new Set([...(isApart ? [conventional] : []), ...toml.artifacts.map(sourceOf)])];
}

export function stepArtifactPaths({ artifacts }: HarborStep): string[] {
  return artifacts.map(sourceOf);
}

function sourceOf(artifact: HarborToml['artifacts'][number]): string {
  return typeof artifact === 'string' ? artifact : artifact.source;
}

/** Why artifacts can't be handed on, in one phrase each. */
export function artifactProblems(toml: HarborToml, workdir: string): string[] {
  const declared = [
    ...toml.artifacts.map(artifact => ({ artifact, place: 'task.toml artifacts' })),
    ...toml.steps.flatMap(({ name, artifacts }) =>
      artifacts.map(artifact => ({ artifact, place: `task.toml [[steps]] ${name} artifacts` })),
    ),
  ];
  return declared.flatMap(({ artifact, place }) => {
    const source = sourceOf(artifact);
    if (!canBeTaken(source, workdir)) {
      return [`${place}: ${source} lies neither in the working directory ${workdir}, nor in ${conventional} or /tmp`];
    }
    const more = typeof artifact === 'string' ? [] : ['exclude', 'service'].filter(key => artifact[key] !== undefined);
    return more.map(key => `${place}: ${key} of ${source}`);
  });
}

/** Agents can write there, and nothing of the sandbox itself lies there. */
function canBeTaken(source: string, workdir: string): boolean {
  if (source.split('/').some(part => part === '..' || part === '.')) return false;
  const isBelow = (place: string) => source.startsWith(`${place}/`) && source.length > place.length + 1;
  return [workdir, conventional].some(place => source === place || isBelow(place)) || isBelow('/tmp');
}

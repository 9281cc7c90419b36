import { fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import { readDockerfile } from './dockerfile.ts';
import type { ForeignEnvironment } from './foreignTask.ts';
import type { HarborToml } from './harborSchema.ts';

/** The environment that a separate verifier brings, as an image or as tests/Dockerfile; null where it has the agent's. */
export function readVerifierEnvironment(
  { verifier, environment }: HarborToml,
  nodes: readonly TreeNode[],
): ForeignEnvironment | null {
  const context = filesUnder(nodes, 'tests').filter(file => file.path !== 'Dockerfile');
  if (verifier.environment === undefined && verifier.environment_mode !== 'separate') return null;
  const given = fileOf(nodes, 'tests/Dockerfile')?.content.toString() ?? null;
  const image = verifier.environment?.docker_image;
  if (given === null && (image === undefined || image === environment.docker_image)) return null;
  const dockerfile = image === undefined ? (given ?? '') : `FROM ${image}\n`;
  const { baseImage, workdir } = readDockerfile(dockerfile, context);
  return {
    baseImage: baseImage ?? '',
    dockerfile,
    context,
    workdir: verifier.environment?.workdir ?? workdir ?? '/',
  };
}

/** The paths that such a verifier is given of what the agent left. */
export function artifactPaths({ artifacts }: HarborToml): string[] {
  return artifacts.map(artifact => (typeof artifact === 'string' ? artifact : artifact.source));
}

/** Why an artifact can't be handed on, in one phrase each: what is judged is what changed in the working directory. */
export function artifactProblems({ artifacts }: HarborToml, workdir: string): string[] {
  return artifacts.flatMap(artifact => {
    const source = typeof artifact === 'string' ? artifact : artifact.source;
    if (source !== workdir && !source.startsWith(`${workdir}/`)) {
      return [
        `task.toml artifacts: ${source} does not lie in the working directory ${workdir}, whose changes are all that is judged`,
      ];
    }
    const more = typeof artifact === 'string' ? [] : ['exclude', 'service'].filter(key => artifact[key] !== undefined);
    return more.map(key => `task.toml artifacts: ${key} of ${source}`);
  });
}

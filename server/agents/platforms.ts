import type { AgentPackage } from './agent.ts';

const platforms: ReadonlySet<string> = new Set(['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']);

/**
 * A package whose programs are packages of their own, one per platform: `<prefix>-<os>-<cpu>`. The one above them only
 * starts those, and has an install script, which we don't run.
 */
export function nativePackage(spec: {
  readonly name: string;
  readonly version: string;
  readonly prefix: string;
  readonly program: string;
  /** Ends the name on x64. */
  readonly x64Suffix?: string;
}): AgentPackage {
  const { name, version, prefix, program, x64Suffix = '' } = spec;
  return {
    name,
    version,
    platform(os, arch) {
      if (!platforms.has(`${os}-${arch}`)) return null;
      const own = `${prefix}-${os}-${arch}${arch === 'x64' ? x64Suffix : ''}`;
      return { spec: `${own}@${version}`, name: own, directory: '.', program };
    },
  };
}

/** A package that is a script for Node, the same on every platform. */
export function scriptPackage(name: string, version: string, program: string): AgentPackage {
  return { name, version, platform: () => ({ spec: `${name}@${version}`, directory: '.', program }) };
}

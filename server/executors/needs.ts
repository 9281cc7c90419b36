import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { CoachError } from '../../protocol/errors.ts';

/** Debian packages that an environment can ask for, and the command that works where one is there. */
export const packageProbes = {
  'golang-go': ['go', 'version'],
  cargo: ['cargo', '--version'],
  'python3-pytest': ['python3', '-P', '-c', 'import pytest'],
  'default-jdk-headless': ['javac', '-version'],
  maven: ['mvn', '--version'],
  'libsurefire-java': ['ls', '/usr/share/maven-repo/org/apache/maven/plugins/maven-surefire-plugin'],
  'libmaven-compiler-plugin-java': ['ls', '/usr/share/maven-repo/org/apache/maven/plugins/maven-compiler-plugin'],
  'libmaven-resources-plugin-java': ['ls', '/usr/share/maven-repo/org/apache/maven/plugins/maven-resources-plugin'],
  junit4: ['ls', '/usr/share/maven-repo/junit/junit/4.13.2'],
  junit5: ['ls', '/usr/share/maven-repo/org/junit/jupiter/junit-jupiter/5.9.2'],
} as const satisfies Readonly<Record<string, readonly [string, ...string[]]>>;

export type NeededPackage = keyof typeof packageProbes;

const Needs = z.object({
  packages: z.array(z.enum(Object.keys(packageProbes) as [NeededPackage, ...NeededPackage[]])).default([]),
  dependencies: z.enum(['npm', 'pip']).nullable().default(null),
});

/** What an environment needs besides its base image: `needs.json` beside its Dockerfile. */
export type Needs = z.infer<typeof Needs>;

/** @throws CoachError `task.invalid` naming the file; an environment without one needs nothing */
export async function loadNeeds(environment: string): Promise<Needs> {
  const file = join(environment, 'needs.json');
  const text = await readFile(file, 'utf8').catch(() => '{}');
  try {
    return Needs.parse(JSON.parse(text));
  } catch (cause) {
    throw new CoachError('task.invalid', `${file} is not what an environment can need.`, {
      cause,
      hint: `Prepare the task again; packages can be ${Object.keys(packageProbes).join(', ')}.`,
    });
  }
}

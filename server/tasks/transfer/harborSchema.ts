import * as z from 'zod';

/*
 * Harbor's task.toml, schema 1.0 to 1.4, as far as it decides what a task means. Keys that are not named here are kept in
 * the task's original and mean nothing to us; those that would change a verdict are refused by harbor.ts.
 */

const Network = {
  network_mode: z.enum(['public', 'no-network', 'allowlist']).optional(),
  allowed_hosts: z.array(z.string()).default([]),
};
const Seconds = z.number().positive();
const Env = z.record(z.string(), z.string()).default({});

const Artifact = z.union([z.string(), z.looseObject({ source: z.string() })]);

const Environment = z.looseObject({
  ...Network,
  docker_image: z.string().min(1).optional(),
  os: z.enum(['linux', 'windows']).default('linux'),
  cpus: z.number().positive().optional().describe('Processors that Harbor gives the environment.'),
  memory_mb: z.number().positive().optional().describe('Memory of the environment, in MB.'),
  memory: z
    .string()
    .optional()
    .meta({ description: 'Memory before 1.1: `"2G"`.', deprecated: true, instead: 'memory_mb' }),
  storage_mb: z.number().positive().optional().describe('Disk of the environment, in MB.'),
  storage: z
    .string()
    .optional()
    .meta({ description: 'Disk before 1.1: `"10G"`.', deprecated: true, instead: 'storage_mb' }),
  build_timeout_sec: z.number().positive().optional().describe('Seconds that building the image may take.'),
  gpus: z.int().min(0).default(0),
  gpu_types: z.array(z.string()).nullable().default([]),
  tpu: z.unknown().optional(),
  allow_internet: z
    .boolean()
    .optional()
    .meta({ description: 'Whether there is a network, before 1.3.', deprecated: true, instead: 'network_mode' }),
  env: Env,
  skills_dir: z.string().nullable().optional(),
  workdir: z.string().optional(),
  healthcheck: z.unknown().optional(),
  mcp_servers: z.array(z.unknown()).default([]),
});
export type HarborEnvironment = z.output<typeof Environment>;

const Agent = z.looseObject({
  ...Network,
  timeout_sec: Seconds.nullable().default(null),
  user: z.unknown().optional(),
});

const Verifier = z.looseObject({
  ...Network,
  timeout_sec: Seconds.default(600),
  env: Env,
  user: z.unknown().optional(),
  environment_mode: z.enum(['shared', 'separate']).optional(),
  environment: Environment.optional(),
  collect: z.array(z.unknown()).default([]),
});

/** What a step leaves open is as the task says. */
const StepVerifier = z.looseObject({
  ...Network,
  timeout_sec: Seconds.optional(),
  env: Env,
  user: z.unknown().optional(),
  environment_mode: z.enum(['shared', 'separate']).optional(),
  environment: Environment.optional(),
  collect: z.array(z.unknown()).default([]),
});

const Step = z.looseObject({
  /** Also the name of its directory below steps/. */
  name: z.string().regex(/^[A-Za-z0-9][\w.-]*$/, 'must be a plain directory name'),
  agent: Agent.prefault({}),
  verifier: StepVerifier.prefault({}),
  /** Of the reward called `reward`, or of several by their names. */
  min_reward: z.union([z.number(), z.record(z.string(), z.number())]).optional(),
  healthcheck: z.unknown().optional(),
  artifacts: z.array(Artifact).default([]),
});
export type HarborStep = z.output<typeof Step>;

export const HarborToml = z.looseObject({
  schema_version: z.string().optional(),
  version: z
    .string()
    .optional()
    .meta({ description: 'The name of `schema_version` in 1.0.', deprecated: true, instead: 'schema_version' }),
  artifacts: z.array(Artifact).default([]),
  task: z
    .looseObject({
      name: z.string(),
      description: z.string().default('').describe('What the task is about, for lists.'),
      keywords: z.array(z.string()).default([]),
    })
    .optional(),
  metadata: z.looseObject({ tags: z.unknown().optional() }).default({}),
  agent: Agent.prefault({}),
  verifier: Verifier.prefault({}),
  environment: Environment.prefault({}),
  solution: z.looseObject({ env: Env }).prefault({}),
  multi_step_reward_strategy: z.enum(['mean', 'final']).default('mean'),
  steps: z.array(Step).default([]),
});
export type HarborToml = z.output<typeof HarborToml>;

export const harborVersions: readonly string[] = ['1.0', '1.1', '1.2', '1.3', '1.4'];

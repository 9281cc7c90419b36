import * as z from 'zod';

/*
 * A strict reader of what Harbor documents for a task directory and for its results: every key is known, every required one is
 * there. Written from the documented schema, not from our writer.
 */

const seconds = z.number().positive();
const network = {
  network_mode: z.enum(['public', 'no-network', 'allowlist']).optional(),
  allowed_hosts: z.array(z.string()).optional(),
};
const env = z.record(z.string(), z.string());

const environment = z.strictObject({
  ...network,
  build_timeout_sec: seconds.optional(),
  docker_image: z.string().optional(),
  os: z.enum(['linux', 'windows']).optional(),
  cpus: z.number().optional(),
  memory_mb: z.number().optional(),
  storage_mb: z.number().optional(),
  gpus: z.int().optional(),
  gpu_types: z.array(z.string()).optional(),
  env: env.optional(),
  workdir: z.string().optional(),
  mcp_servers: z.array(z.unknown()).optional(),
});

export const strictTaskToml = z.strictObject({
  schema_version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4']),
  artifacts: z.array(z.string()).optional(),
  task: z.strictObject({
    name: z.string().regex(/^[^/]+\/[^/]+$/),
    version: z.string().optional(),
    description: z.string().optional(),
    authors: z.array(z.strictObject({ name: z.string(), email: z.string().optional() })).optional(),
    keywords: z.array(z.string()).optional(),
  }),
  metadata: z.record(z.string(), z.unknown()).optional(),
  agent: z.strictObject({ ...network, timeout_sec: seconds.optional(), user: z.string().optional() }).optional(),
  verifier: z
    .strictObject({
      ...network,
      timeout_sec: seconds.optional(),
      env: env.optional(),
      user: z.string().optional(),
      environment_mode: z.enum(['shared', 'separate']).optional(),
      environment: environment.optional(),
    })
    .optional(),
  environment: environment.optional(),
  solution: z.strictObject({ env: env.optional() }).optional(),
});

const instant = z.iso.datetime();
const span = z.strictObject({ started_at: instant, finished_at: instant }).nullable();
const count = z.int().min(0);

const agentConfig = z.strictObject({
  name: z.string(),
  import_path: z.string().nullable(),
  model_name: z.string().nullable(),
  kwargs: z.record(z.string(), z.unknown()),
  env,
});

export const strictTrialConfig = z.strictObject({
  task: z.strictObject({ path: z.string() }),
  trial_name: z.string(),
  trials_dir: z.string(),
  timeout_multiplier: z.number(),
  agent: agentConfig,
  environment: z.strictObject({
    type: z.string(),
    force_build: z.boolean(),
    delete: z.boolean(),
    env,
    kwargs: z.record(z.string(), z.unknown()),
  }),
  verifier: z.strictObject({ disable: z.boolean() }),
  artifacts: z.array(z.unknown()),
  job_id: z.uuid(),
});

export const strictTrialResult = z.strictObject({
  id: z.uuid(),
  task_name: z.string(),
  trial_name: z.string(),
  trial_uri: z.string().startsWith('file://'),
  task_id: z.strictObject({ path: z.string() }),
  source: z.string().nullable(),
  task_checksum: z.string().nullable(),
  config: strictTrialConfig,
  agent_info: z.strictObject({
    name: z.string(),
    version: z.string(),
    model_info: z.strictObject({ name: z.string(), provider: z.string().nullable() }).nullable(),
  }),
  agent_result: z.strictObject({
    n_input_tokens: count.nullable(),
    n_cache_tokens: count.nullable(),
    n_output_tokens: count.nullable(),
    cost_usd: z.number().nullable(),
    rollout_details: z.null(),
    metadata: z.null(),
  }),
  verifier_result: z.strictObject({ rewards: z.record(z.string(), z.number()) }).nullable(),
  verifier_environment_mode: z.enum(['shared', 'separate']),
  exception_info: z
    .strictObject({
      exception_type: z.string(),
      exception_message: z.string(),
      exception_traceback: z.string(),
      occurred_at: instant.nullable(),
    })
    .nullable(),
  started_at: instant.nullable(),
  finished_at: instant.nullable(),
  environment_setup: span,
  agent_setup: span,
  agent_execution: span,
  verifier: span,
  step_results: z.null(),
});

export const strictJobResult = z.strictObject({
  id: z.uuid(),
  started_at: instant,
  updated_at: instant,
  finished_at: instant.nullable(),
  n_total_trials: count,
  stats: z.strictObject({
    n_completed_trials: count,
    n_errored_trials: count,
    n_running_trials: count,
    n_pending_trials: count,
    n_cancelled_trials: count,
    n_retries: count,
    n_input_tokens: count.nullable(),
    n_cache_tokens: count.nullable(),
    n_output_tokens: count.nullable(),
    cost_usd: z.number().nullable(),
    evals: z.record(
      z.string().regex(/^.+__adhoc$/),
      z.strictObject({
        n_trials: count,
        n_errors: count,
        metrics: z.array(z.record(z.string(), z.number().nullable())),
        pass_at_k: z.record(z.string().regex(/^\d+$/), z.number()),
        reward_stats: z.record(z.string(), z.record(z.string(), z.array(z.string()))),
        exception_stats: z.record(z.string(), z.array(z.string())),
      }),
    ),
  }),
});

export const strictManifest = z.array(
  z.strictObject({
    source: z.string(),
    destination: z.string(),
    type: z.enum(['file', 'directory']),
    status: z.enum(['ok', 'failed', 'empty', 'skipped']),
    service: z.string().nullable(),
  }),
);

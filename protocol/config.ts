import { z } from 'zod';

/** A setting: once here, from here in package.json, in the environment and in `.env`. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly default: z.output<S>;
  readonly description: string;
  /** Name in the environment and in `.env`. */
  readonly env: string;
  /** `machine`: not settable by a workspace (paths of programs, network). */
  readonly scope: 'machine' | 'resource';
}

function setting<S extends z.ZodType>(spec: Setting<S>): Setting<S> {
  return spec;
}

const port = z.coerce.number().int().min(0).max(65535);
const flag = z.preprocess(
  value => (typeof value === 'string' ? !['0', 'false', 'no', ''].includes(value) : value),
  z.boolean(),
);

export const settings = {
  'proxy.port': setting({
    schema: port,
    default: 18080,
    description: 'Port of the recording proxy on 127.0.0.1. 0 takes any free port.',
    env: 'PROXY_PORT',
    scope: 'machine',
  }),
  'proxy.upstreams': setting({
    schema: z.string(),
    default: '',
    description:
      'Sends model hosts elsewhere, such as to a company gateway: `api.openai.com=https://gateway.example`, several separated by commas. Traces keep the original host.',
    env: 'COACH_UPSTREAMS',
    scope: 'machine',
  }),
  'session.idleSeconds': setting({
    schema: z.coerce.number().int().min(1),
    default: 120,
    description: 'Seconds of silence after which an agent that names no conversation gets a new session.',
    env: 'SESSION_IDLE_SECS',
    scope: 'machine',
  }),
  'server.idleSeconds': setting({
    schema: z.coerce.number().int().min(1),
    default: 600,
    description: 'Seconds without client, traced connection or trial after which the background server leaves.',
    env: 'COACH_IDLE_SECS',
    scope: 'machine',
  }),
  'log.debug': setting({
    schema: flag,
    default: true,
    description: 'Write a debug log to the logs directory. Secrets are redacted.',
    env: 'DEBUG',
    scope: 'machine',
  }),
  'run.executor': setting({
    schema: z.enum(['auto', 'docker', 'local']),
    default: 'auto',
    description: 'Where trials run: docker, local, or auto (Docker when an engine answers, else local).',
    env: 'COACH_EXECUTOR',
    scope: 'resource',
  }),
  'run.timeoutSeconds': setting({
    schema: z.coerce.number().int().min(1).max(86_400),
    default: 1800,
    description: 'Wall-clock limit of one trial in seconds.',
    env: 'COACH_TIMEOUT_SECS',
    scope: 'resource',
  }),
  'docker.host': setting({
    schema: z.string(),
    default: '',
    description: 'Docker engine, as in DOCKER_HOST. Empty takes DOCKER_HOST, else the default socket.',
    env: 'COACH_DOCKER_HOST',
    scope: 'machine',
  }),
} as const;

export type SettingName = keyof typeof settings;
export type SettingValue<K extends SettingName> = z.output<(typeof settings)[K]['schema']>;

/** Keys that are read from the environment or the repository's `.env` and never written anywhere. */
export const keyNames = ['OPENAI_API_KEY', 'CODEX_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'] as const;

/** `contributes.configuration` of package.json. */
export function toContribution(): object {
  const properties: Record<string, object> = {};
  for (const [name, spec] of Object.entries(settings) as [SettingName, Setting][]) {
    const { $schema: _, ...schema } = z.toJSONSchema(spec.schema, { io: 'output', unrepresentable: 'any' }) as Record<
      string,
      unknown
    >;
    properties[`codexCoach.${name}`] = {
      ...schema,
      default: spec.default,
      markdownDescription: `${spec.description}\n\nEnvironment and \`.env\`: \`${spec.env}\`.`,
      scope: spec.scope,
    };
  }
  return { title: 'Codex Coach', properties };
}

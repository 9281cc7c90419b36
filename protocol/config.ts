import * as z from 'zod';

/** A setting: once here, from here in package.json and in the environment. No repository sets one by its `.env`. */
export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  readonly default: z.output<S>;
  readonly description: string;
  /** Name in the environment. */
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
  'proxy.hosts': setting({
    schema: z.string(),
    default: '',
    description:
      'Further model hosts to record, separated by commas: `gateway.example`, `gateway.example:8443`, or `http://localhost:11434` for one without TLS, such as Ollama, LM Studio or vLLM.',
    env: 'COACH_MODEL_HOSTS',
    scope: 'machine',
  }),
  'proxy.allowPrivate': setting({
    schema: z.string(),
    default: '',
    description:
      'Hosts in private networks, or ports, that the proxy may lead to although they are no model hosts, separated by commas: `git.corp.example`, `10.0.0.0/8`, `localhost:3000`. A name covers its subdomains.',
    env: 'COACH_ALLOW_PRIVATE',
    scope: 'machine',
  }),
  'budget.sessionTokens': setting({
    schema: z.coerce.number().int().min(0),
    default: 0,
    description:
      'Input and output tokens that one session may use; then the proxy ends its turns with a message. 0 is no limit.',
    env: 'COACH_BUDGET_SESSION_TOKENS',
    scope: 'machine',
  }),
  'budget.sessionUsd': setting({
    schema: z.coerce.number().min(0),
    default: 0,
    description:
      'USD that one session may cost. Models without a known price are not counted, with a warning: limit tokens for them. 0 is no limit.',
    env: 'COACH_BUDGET_SESSION_USD',
    scope: 'machine',
  }),
  'budget.dayTokens': setting({
    schema: z.coerce.number().int().min(0),
    default: 0,
    description: 'Input and output tokens that all agents together may use in one day (UTC). 0 is no limit.',
    env: 'COACH_BUDGET_DAY_TOKENS',
    scope: 'machine',
  }),
  'budget.dayUsd': setting({
    schema: z.coerce.number().min(0),
    default: 0,
    description:
      'USD that all agents together may cost in one day (UTC). Models without a known price are not counted, with a warning: limit tokens for them. 0 is no limit.',
    env: 'COACH_BUDGET_DAY_USD',
    scope: 'machine',
  }),
  'budget.warnShare': setting({
    schema: z.coerce.number().min(0).max(1),
    default: 0.8,
    description: 'Share of a budget from which it is shown as nearly used up.',
    env: 'COACH_BUDGET_WARN_SHARE',
    scope: 'machine',
  }),
  'session.idleSeconds': setting({
    schema: z.coerce.number().int().min(1),
    default: 120,
    description:
      'Seconds of silence after which an agent that names no conversation gets a new session, unless it goes on with what was said.',
    env: 'SESSION_IDLE_SECS',
    scope: 'machine',
  }),
  'sessions.codexHome': setting({
    schema: z.string(),
    default: '',
    description:
      'Directory with session files of Codex, which `sessions` lists beside what was recorded. Empty takes CODEX_HOME, else ~/.codex.',
    env: 'CODEX_TRACE_HOME',
    scope: 'machine',
  }),
  'traces.keepDays': setting({
    schema: z.coerce.number().int().min(0).max(36_500),
    default: 0,
    description: 'Days after which a recorded session without new activity is deleted. 0 keeps all.',
    env: 'COACH_KEEP_DAYS',
    scope: 'machine',
  }),
  'traces.maxMegabytes': setting({
    schema: z.coerce.number().int().min(0),
    default: 0,
    description:
      'Size of the trace database from which the oldest sessions are deleted, in MB. 0 means no limit. Sessions of the last hour stay.',
    env: 'COACH_MAX_MEGABYTES',
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
  'judge.model': setting({
    schema: z.string(),
    default: '',
    description:
      'Model that judges rubrics: `openai/<model>`, `anthropic/<model>`, or `chat/<model>` for Chat Completions. Empty leaves rubrics unjudged.',
    env: 'COACH_JUDGE',
    scope: 'machine',
  }),
  'judge.votes': setting({
    schema: z.coerce.number().int().min(1).max(15),
    default: 3,
    description: 'Answers that the judge is asked for per criterion; odd, so that there is a majority.',
    env: 'COACH_JUDGE_VOTES',
    scope: 'machine',
  }),
  'terminal.record': setting({
    schema: flag,
    default: false,
    description:
      'Record agents in all terminals that are opened in this folder, and not only in coached ones. It sets proxy variables in them; terminals that are open already must be started anew.',
    env: 'COACH_TERMINAL_RECORD',
    scope: 'resource',
  }),
  'terminal.offerTasks': setting({
    schema: flag,
    default: true,
    description: 'When a recorded agent ends in a terminal of the editor, offer to save its session as a task.',
    env: 'COACH_TERMINAL_OFFER',
    scope: 'resource',
  }),
  'testing.enabled': setting({
    schema: flag,
    default: false,
    description:
      'Show tasks in the Testing view, too. Running them there runs agents, which can cost money: it asks first, with the number of trials and what they may cost.',
    env: 'COACH_TESTING_VIEW',
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
export const keyNames = [
  ...(['OPENAI_API_KEY', 'CODEX_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'] as const),
  'DASHSCOPE_API_KEY',
] as const;

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
      markdownDescription: `${spec.description}\n\nEnvironment variable: \`${spec.env}\`.`,
      scope: spec.scope,
    };
  }
  return { title: 'Codex Coach', properties };
}

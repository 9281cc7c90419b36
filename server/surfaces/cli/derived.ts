import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { type Api, call, methodOf, type RequestSpec, requestsOf } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { server } from '../../../protocol/server.ts';
import { pointInTime, withZone } from '../../../protocol/since.ts';
import type { ValueSchema } from '../../base/expectedValue.ts';
import { type ParameterWords, parameterFaults } from '../parameterFaults.ts';
import { withOwnOutput } from './ownOutput.ts';
import { toText } from './render.ts';
import { exitCodes, type Terminal } from './terminal.ts';

/** What becomes of settings in this environment that the server was started without. */
export type Unheld = 'told' | 'refused' | 'passed over';

/** What every derived command needs: the terminal, and a way to the server. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Calls `work` with a connection that is closed afterwards. */
  withServer<T>(work: (channel: Channel) => Promise<T>, unheld?: Unheld): Promise<T>;
  /** The same with a server that runs already; null when there is none. */
  withRunningServer<T>(work: (channel: Channel) => Promise<T>, unheld?: Unheld): Promise<T | null>;
  /**
   * The same for work that outlives a server: one that has ended is started again at once, for the agents it records.
   * `onReopened` is called each time that this was done.
   */
  withLastingServer<T>(work: (channel: Channel) => Promise<T>, onReopened?: () => void): Promise<T>;
}

/** The same, and a way to end with another exit code than 0. */
export interface DerivedContext extends CommandContext {
  exit(code: number): void;
}

/** Asked of a server that runs: none is started that would then tell of itself. */
const ofRunning: ReadonlySet<RequestSpec> = new Set<RequestSpec>([server.members.status, proxy.members.status]);

const startsNone = 'Starts no server: where none runs it says so (as JSON: null), which is no failure.';

/** Said where nothing is started in order to be asked. */
export const noServer = 'No background server runs.';

/** Begins what this environment is to hold for, its budget and its way out. */
const ofEnvironment: ReadonlySet<RequestSpec> = new Set<RequestSpec>([proxy.members.start]);

/** Adds `codex-coach <api> <request>` for each request that an api exposes to the command line. */
export function addDerivedCommands(program: Command, api: Api, context: DerivedContext): Command {
  const group = program.command(api.name).description(`${summaries[api.name] ?? api.name}`);
  // `run` is a command of its own.
  if (api.name.endsWith('s') && api.name !== 'runs') group.alias(api.name.slice(0, -1));
  for (const [name, spec] of requestsOf(api)) {
    if (spec.expose.includes('cli')) addDerivedCommand(group, api.name, name, spec, context);
  }
  return group;
}

const summaries: Record<string, string> = {
  sessions: 'Recorded agent sessions',
  tasks: 'Benchmark tasks of a repository',
  suites: 'Suites: prepared tasks that are run together',
  runs: 'Runs of agents on tasks',
  proxy: 'The recording proxy',
  agents: 'Agents and sandboxes',
  server: 'The background server',
};

/** Adds the command of one request to a group of commands. */
export function addDerivedCommand(
  group: Command,
  apiName: string,
  name: string,
  spec: RequestSpec,
  { terminal, exit, withServer, withRunningServer }: DerivedContext,
  /** The api, where its commands go by another name. */
  api = apiName,
): void {
  const properties = propertiesOf(spec);
  const words = spec.positional.map(key =>
    properties[key]?.type === 'array' ? `<${toKebab(key)}...>` : `<${toKebab(key)}>`,
  );
  const runs = ofRunning.has(spec);
  const command = group.command(toKebab(name)).description(runs ? `${spec.summary} ${startsNone}` : spec.summary);
  for (const [index, key] of spec.positional.entries()) {
    command.argument(words[index] ?? '', properties[key]?.description ?? '');
  }
  for (const [key, property] of Object.entries(properties)) {
    if (spec.positional.includes(key)) continue;
    // Sessions are listed from everywhere; tasks and runs are of the repository one stands in.
    const usual = key === 'repository' && apiName !== 'sessions' ? '.' : undefined;
    command.option(flagOf(key, property), property.description ?? '', usual);
  }
  command.option('--json', 'Print the answer as JSON');
  command.action(async (...args: unknown[]) => {
    const options = args[words.length] as Record<string, unknown>;
    const params = paramsOf(spec, args, options, terminal.cwd);
    checkParams(`codex-coach ${apiName} ${toKebab(name)}`, spec, params);
    // The server may have been started in another time zone.
    for (const key of pointsInTime(spec)) {
      if (typeof params[key] === 'string') params[key] = withZone(params[key]);
    }
    const request = (channel: Channel) => (asked: unknown) =>
      call(channel, methodOf(api, name), spec, asked, terminal.signal);
    const ask = (channel: Channel) => withOwnOutput(spec, params, request(channel), terminal.signal);
    const value = await (runs ? withRunningServer(ask) : withServer(ask, ofEnvironment.has(spec) ? 'refused' : 'told'));
    if (options['json'] === true) terminal.print(JSON.stringify(value, null, 2));
    else terminal.print(runs && value === null ? noServer : toText(spec, value, terminal.columns));
    if (value !== null && spec.isFailure(value)) exit(exitCodes.failed);
  });
}

/** The parameters that a command line gives, with places as the server finds them. */
function paramsOf(
  spec: RequestSpec,
  words: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
  cwd: string,
): Record<string, unknown> {
  const params: Record<string, unknown> = {};
  for (const [index, key] of spec.positional.entries()) params[key] = words[index];
  for (const key of Object.keys(propertiesOf(spec))) if (options[key] !== undefined) params[key] = options[key];
  for (const key of ['repository', 'output', 'path']) {
    if (typeof params[key] === 'string') params[key] = resolve(cwd, params[key]);
  }
  // A source may be a file, or name something else.
  const source = typeof params['source'] === 'string' ? resolve(cwd, params['source']) : null;
  if (source !== null && existsSync(source)) params['source'] = source;
  return params;
}

/** Wrong parameters are found before a server is started for them. */
function checkParams(command: string, spec: RequestSpec, params: Readonly<Record<string, unknown>>): void {
  const words: ParameterWords = {
    nameOf: ([key = '']) => nameOf(key, spec),
    shown: String,
    exampleOf: (name, value) => (name.startsWith('--') ? `${name} ${value}` : null),
  };
  const faults = parameterFaults(spec.params, params, words);
  if (faults.length > 0) throw new CoachError('input.invalid', faults.join(' '), { hint: `See: ${command} --help` });
}

/** As it stands on the command line; empty for all of it together. */
function nameOf(key: string, spec: RequestSpec): string {
  if (key === '') return '';
  return spec.positional.includes(key) ? `<${toKebab(key)}>` : `--${toKebab(key)}`;
}

function propertiesOf(spec: RequestSpec): Record<string, ValueSchema> {
  return (z.toJSONSchema(spec.params, { io: 'input', unrepresentable: 'any' }).properties ?? {}) as Record<
    string,
    ValueSchema
  >;
}

function pointsInTime(spec: RequestSpec): string[] {
  const isOne = (schema: z.core.$ZodType): boolean =>
    schema === pointInTime || (schema instanceof z.ZodOptional && isOne(schema.unwrap()));
  return spec.params instanceof z.ZodObject
    ? Object.entries(spec.params.shape).flatMap(([key, schema]) => (isOne(schema) ? [key] : []))
    : [];
}

function flagOf(key: string, property: ValueSchema): string {
  if (property.type === 'boolean') return `--${toKebab(key)}`;
  return property.type === 'array' ? `--${toKebab(key)} <value...>` : `--${toKebab(key)} <value>`;
}

function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { type Api, call, methodOf, type RequestSpec, requestsOf } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { pointInTime, withZone } from '../../../protocol/since.ts';
import { exampleValue, expectedValue, type ValueSchema } from '../../base/expectedValue.ts';
import { withOwnOutput } from './ownOutput.ts';
import { toText } from './render.ts';
import type { Terminal } from './terminal.ts';

/** What every derived command needs: the terminal, and a way to the server. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Calls `work` with a connection that is closed afterwards. */
  withServer<T>(work: (channel: Channel) => Promise<T>): Promise<T>;
  /** The same with a server that runs already; null when there is none. */
  withRunningServer<T>(work: (channel: Channel) => Promise<T>): Promise<T | null>;
  /**
   * The same for work that outlives a server: one that has ended is started again at once, for the agents it records.
   * `onReopened` is called each time that this was done.
   */
  withLastingServer<T>(work: (channel: Channel) => Promise<T>, onReopened?: () => void): Promise<T>;
}

/** Adds `codex-coach <api> <request>` for each request that an api exposes to the command line. */
export function addDerivedCommands(program: Command, api: Api, context: CommandContext): Command {
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
  { terminal, withServer }: CommandContext,
  /** The api, where its commands go by another name. */
  api = apiName,
): void {
  const properties = propertiesOf(spec);
  const words = spec.positional.map(key =>
    properties[key]?.type === 'array' ? `<${toKebab(key)}...>` : `<${toKebab(key)}>`,
  );
  const command = group.command(toKebab(name)).description(spec.summary);
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
    const params: Record<string, unknown> = {};
    for (const [index, key] of spec.positional.entries()) params[key] = args[index];
    for (const key of Object.keys(properties)) if (options[key] !== undefined) params[key] = options[key];
    for (const key of ['repository', 'output', 'path']) {
      if (typeof params[key] === 'string') params[key] = resolve(terminal.cwd, params[key]);
    }
    // A source may be a file, or name something else.
    const source = typeof params['source'] === 'string' ? resolve(terminal.cwd, params['source']) : null;
    if (source !== null && existsSync(source)) params['source'] = source;
    const method = methodOf(api, name);
    checkParams(`codex-coach ${apiName} ${toKebab(name)}`, spec, params);
    // The server may have been started in another time zone.
    for (const key of pointsInTime(spec)) {
      if (typeof params[key] === 'string') params[key] = withZone(params[key]);
    }
    const value = await withServer(channel =>
      withOwnOutput(spec, params, asked => call(channel, method, spec, asked, terminal.signal), terminal.signal),
    );
    terminal.print(options['json'] === true ? JSON.stringify(value, null, 2) : toText(spec, value, terminal.columns));
  });
}

/** Wrong parameters are found before a server is started for them. */
function checkParams(command: string, spec: RequestSpec, params: Readonly<Record<string, unknown>>): void {
  const parsed = spec.params.safeParse(params);
  if (parsed.success) return;
  const properties = propertiesOf(spec);
  const faults = parsed.error.issues.map(issue => {
    const [key = '', at] = issue.path.map(String);
    const given = at === undefined ? params[key] : (params[key] as unknown[])[Number(at)];
    return optionFault({ name: nameOf(key, spec), given, property: properties[key], issue });
  });
  throw new CoachError('input.invalid', [...new Set(faults)].join(' '), { hint: `See: ${command} --help` });
}

interface OptionFault {
  readonly name: string;
  readonly given: unknown;
  readonly property: ValueSchema | undefined;
  readonly issue: { readonly code: string; readonly message: string };
}

function optionFault({ name, given, property = {}, issue }: OptionFault): string {
  if (name === '') return `${issue.message}.`;
  if (given === undefined) return `${name} is missing.`;
  if (given === '') return `${name} "": expected something that is not empty.`;
  const expected = issue.code === 'custom' ? null : expectedValue(property);
  if (expected === null) return `${name} ${String(given)}: ${issue.message}.`;
  const example = name.startsWith('--') ? exampleValue(property) : null;
  return `${name} ${String(given)}: expected ${expected}${example === null ? '' : `, such as ${name} ${example}`}.`;
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

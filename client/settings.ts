import * as vscode from 'vscode';
import { type SettingName, type SettingValue, settings } from '../protocol/config.ts';
import { prefix } from './contributions.ts';

/** A setting as the person has it, or our default where the editor holds something unusable. */
export function setting<K extends SettingName>(name: K, scope?: vscode.Uri): SettingValue<K> {
  const spec = settings[name];
  const parsed = spec.schema.safeParse(vscode.workspace.getConfiguration(prefix, scope).get(name));
  return (parsed.success ? parsed.data : spec.default) as SettingValue<K>;
}

/** Machine settings that the person has changed, as the environment in which the server starts. No workspace changes them. */
export function settingsEnvironment(): Record<string, string> {
  const configuration = vscode.workspace.getConfiguration(prefix);
  return variablesOf(name => ofThisMachine(configuration.inspect(name)));
}

/** What extensions are given beyond the editor's declaration. */
interface Inspected {
  readonly globalValue?: unknown;
  readonly globalRemoteValue?: unknown;
}

/**
 * In a remote window the settings of the person's own machine do not apply, but are seen while the window opens, or longer:
 * when a server is started must not decide what it is started with.
 */
function ofThisMachine(inspected: Inspected | undefined): unknown {
  if (inspected === undefined) return undefined;
  const isRemote = vscode.env.remoteName !== undefined && 'globalRemoteValue' in inspected;
  return isRemote ? inspected.globalRemoteValue : inspected.globalValue;
}

/** The defaults of machine settings, as variables. */
export function defaultEnvironment(isAsked: (name: SettingName) => boolean): Record<string, string> {
  return variablesOf(name => (isAsked(name) ? settings[name].default : undefined));
}

function variablesOf(read: (name: SettingName) => unknown): Record<string, string> {
  const given = machineSettings.flatMap(name => {
    const value = read(name);
    return value === undefined ? [] : [[settings[name].env, String(value)] as const];
  });
  return Object.fromEntries(given);
}

const machineSettings = (Object.keys(settings) as SettingName[]).filter(name => settings[name].scope === 'machine');

/** A variable as a person of the editor knows it: where the editor's settings give it, it has the setting's name. */
export function knownAs(variable: string): string {
  const name = machineSettings.find(candidate => settings[candidate].env === variable);
  const isOutside = process.env[variable] !== undefined && settingsEnvironment()[variable] === undefined;
  return name === undefined || isOutside ? variable : `${prefix}.${name}`;
}

/** A text of the server with the settings of this window in place of their variables; those that it names. */
export function withSettingNames(text: string): { text: string; named: string[] } {
  const named: string[] = [];
  let replaced = text;
  for (const variable of Object.keys(settingsEnvironment())) {
    const before = replaced;
    replaced = replaced.replace(new RegExp(`\\b${variable}\\b`, 'g'), knownAs(variable));
    if (replaced !== before) named.push(knownAs(variable));
  }
  return { text: replaced, named };
}

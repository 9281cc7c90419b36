import * as vscode from 'vscode';
import { type SettingName, type SettingValue, settings } from '../protocol/config.ts';
import { prefix } from './contributions.ts';

/** A setting as the person has it, or our default where the editor holds something unusable. */
export function setting<K extends SettingName>(name: K, scope?: vscode.Uri): SettingValue<K> {
  const spec = settings[name];
  const parsed = spec.schema.safeParse(vscode.workspace.getConfiguration(prefix, scope).get(name));
  return (parsed.success ? parsed.data : spec.default) as SettingValue<K>;
}

/** Machine settings that the person has changed, as the environment in which the server starts. */
export function settingsEnvironment(): Record<string, string> {
  const configuration = vscode.workspace.getConfiguration(prefix);
  const changed = Object.entries(settings).flatMap(([name, { env, scope }]) => {
    const value: unknown = configuration.inspect(name)?.globalValue;
    return scope !== 'machine' || value === undefined ? [] : [[env, String(value)] as const];
  });
  return Object.fromEntries(changed);
}

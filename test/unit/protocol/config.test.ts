import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Setting, settings, toContribution } from '../../../protocol/config.ts';
import { environmentSettings, modelKeys, readDotEnv } from '../../../server/base/settings.ts';
import { temporaryDirectory } from '../../temporary.ts';

it('gives every setting a default of its own kind, a variable of its own and a place in package.json', () => {
  const all = Object.entries(settings) as [string, Setting][];
  for (const [, setting] of all) expect(setting.schema.safeParse(setting.default).success).toBe(true);
  expect(new Set(all.map(([, setting]) => setting.env)).size).toBe(all.length);
  const { properties } = toContribution() as { properties: Record<string, { default: unknown }> };
  expect(Object.keys(properties)).toEqual(all.map(([name]) => `codexCoach.${name}`));
  for (const [name, setting] of all) expect(properties[`codexCoach.${name}`]?.default).toBe(setting.default);
});

it('reads settings from the environment and names the variable of a wrong value', () => {
  expect(environmentSettings({}).get('proxy.port')).toBe(18080);
  expect(environmentSettings({ PROXY_PORT: '0' }).get('proxy.port')).toBe(0);
  expect(environmentSettings({ DEBUG: '0' }).get('log.debug')).toBe(false);
  expect(() => environmentSettings({ PROXY_PORT: '99999' }).get('proxy.port')).toThrow(/PROXY_PORT=99999/);
});

it('reads keys from the environment first and from .env after it, and expands nothing', () => {
  const directory = temporaryDirectory();
  writeFileSync(
    join(directory, '.env'),
    [
      '# keys',
      'OPENAI_API_KEY="from file"',
      'export ANTHROPIC_API_KEY=second # note',
      'X=$(touch boom)',
      'broken line',
    ].join('\n'),
  );
  expect(readDotEnv(directory)).toEqual({
    OPENAI_API_KEY: 'from file',
    ANTHROPIC_API_KEY: 'second',
    X: '$(touch boom)',
  });
  expect(modelKeys({ OPENAI_API_KEY: 'from environment' }, directory)).toEqual({
    OPENAI_API_KEY: 'from environment',
    ANTHROPIC_API_KEY: 'second',
  });
});

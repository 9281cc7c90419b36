import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fileScheme, runPanelType } from '../client/contributions.ts';
import { toContributes } from '../client/manifest.ts';
import { settings } from '../protocol/config.ts';
import { root } from './root.ts';
import { type Strings, takeOutTexts, textsOf } from './strings.ts';

type Json = Readonly<Record<string, unknown>>;

/** The parts of package.json that are derived from code, with their texts in English. */
function derived(): Json {
  const machine = Object.entries(settings)
    .filter(([, setting]) => setting.scope === 'machine')
    .map(([name]) => `codexCoach.${name}`);
  return {
    activationEvents: [
      'workspaceContains:.coach',
      `onWebviewPanel:${runPanelType}`,
      `onFileSystem:${fileScheme}`,
      // An agent that is started in a terminal is noticed, whatever else of ours was used.
      'onTerminalShellIntegration:*',
    ],
    l10n: './l10n',
    capabilities: {
      untrustedWorkspaces: {
        supported: 'limited',
        description:
          'Until the workspace is trusted, recorded sessions can be looked at, and Codex Coach runs no agent, no sandbox and no git in it.',
        restrictedConfigurations: machine,
      },
      virtualWorkspaces: {
        supported: false,
        description: 'Tasks and trials need a git repository on a disk.',
      },
    },
    contributes: toContributes(),
  };
}

/** What is written: package.json's derived parts, its texts, and those of the code that people see in the editor. */
function outputs(): Map<string, Json> {
  const { part, texts } = takeOutTexts(JSON.parse(JSON.stringify(derived())));
  const sources = globSync('{client,protocol,webview}/**/*.ts', { cwd: root }).sort();
  const shown: Strings = Object.assign({}, ...sources.map(file => textsOf(join(root, file))));
  const sorted = Object.fromEntries(Object.entries(shown).sort(([a], [b]) => (a < b ? -1 : 1)));
  return new Map<string, Json>([
    ['package.json', { ...readJson('package.json'), ...(part as Json) }],
    ['package.nls.json', texts],
    ['l10n/bundle.l10n.json', sorted],
  ]);
}

function readJson(file: string): Json {
  const path = join(root, file);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Json) : {};
}

/** Writes what is derived from code, or with `--check` only says (exit code 1) that it is stale. */
function main(check: boolean): void {
  const stale = [...outputs()].filter(([file, content]) => !isDeepStrictEqual(readJson(file), content));
  if (stale.length === 0) {
    console.log('package.json and its texts are up to date with the code.');
    return;
  }
  const names = stale.map(([file]) => file).join(', ');
  if (check) {
    console.error(`Stale: ${names}. Run: node scripts/contributions.ts`);
    process.exitCode = 1;
    return;
  }
  for (const [file, content] of stale) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), `${JSON.stringify(content, null, 2)}\n`);
  }
  console.log(`Wrote ${names}.`);
}

main(process.argv.includes('--check'));

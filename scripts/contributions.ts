import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { fileScheme, runPanelType, toContributes } from '../client/contributions.ts';
import { settings } from '../protocol/config.ts';

const manifestFile = new URL('../package.json', import.meta.url);

/** The parts of package.json that are derived from code. */
function derived(): Record<string, unknown> {
  const machine = Object.entries(settings)
    .filter(([, setting]) => setting.scope === 'machine')
    .map(([name]) => `codexCoach.${name}`);
  return {
    activationEvents: ['workspaceContains:.coach', `onWebviewPanel:${runPanelType}`, `onFileSystem:${fileScheme}`],
    capabilities: {
      untrustedWorkspaces: {
        supported: 'limited',
        description: 'Until the workspace is trusted, Codex Coach starts no server, no agent and no git in it.',
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

/** Writes the derived parts into package.json, or with `--check` only says (exit code 1) that they are stale. */
function main(check: boolean): void {
  const text = readFileSync(manifestFile, 'utf8');
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const fresh = JSON.parse(JSON.stringify(derived())) as Record<string, unknown>;
  const stale = Object.keys(fresh).filter(key => !isDeepStrictEqual(manifest[key], fresh[key]));
  if (stale.length === 0) {
    console.log('package.json is up to date with the code.');
  } else if (check) {
    console.error(`package.json is stale in: ${stale.join(', ')}. Run: node scripts/contributions.ts`);
    process.exitCode = 1;
  } else {
    writeFileSync(manifestFile, `${JSON.stringify({ ...manifest, ...fresh }, null, 2)}\n`);
    console.log(`package.json: wrote ${stale.join(', ')}.`);
  }
}

main(process.argv.includes('--check'));

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { CoachError } from '../../protocol/errors.ts';
import { coachPaths } from '../base/paths.ts';
import type { CommandContext } from '../surfaces/cli/derived.ts';
import { cliProgram } from '../surfaces/cli/places.ts';
import type { Terminal } from '../surfaces/cli/terminal.ts';
import { addCaCommands } from './ca.ts';
import { confirm } from './confirm.ts';
import { addDoctorCommand } from './doctor.ts';
import type { McpCommand } from './mcpCommand.ts';
import { changedLines, formatBytes } from './preview.ts';
import { applySetup, planSetup, type SetupPlace } from './setup.ts';
import { stopServer } from './stopServer.ts';
import { applyPurge, applyUndo, type PurgePlan, planPurge, planUndo, type UndoPlan } from './uninstall.ts';

/** Commands that work on this machine's configuration instead of on what the server holds. */
export function addSetupCommands(program: Command, { terminal }: CommandContext, exit: (code: number) => void): void {
  program
    .command('setup')
    .description('Register our MCP server with the agents of this machine; undone by: codex-coach uninstall')
    .option('--agent <id...>', 'codex, claude, gemini, qwen, opencode, vscode; default: those that are here')
    .option('--dry-run', 'show what would be written, and write nothing', false)
    .option('--json', 'Print the answer as JSON', false)
    .action((options: SetupOptions) => setup(options, terminal));
  program
    .command('uninstall')
    .description('Undo setup to the byte and stop the background server')
    .option('--purge', 'also remove COACH_HOME: traces, runs, certificates, agent installs', false)
    .option('--yes', 'do not ask before removing', false)
    .option('--dry-run', 'show what would be done, and do nothing', false)
    .option('--json', 'Print the answer as JSON', false)
    .action((options: UninstallOptions) => uninstall(options, terminal));
  addCaCommands(program, terminal);
  addDoctorCommand(program, terminal, exit);
}

interface SetupOptions {
  agent?: string[];
  dryRun: boolean;
  json: boolean;
}

interface UninstallOptions {
  purge: boolean;
  yes: boolean;
  dryRun: boolean;
  json: boolean;
}

/** How agents start our MCP server: by absolute paths, with the COACH_HOME of now. */
export function mcpCommand(env: NodeJS.ProcessEnv): McpCommand {
  const electron = process.versions['electron'] === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  return {
    command: process.execPath,
    args: [cliProgram, 'mcp'],
    env: { COACH_HOME: coachPaths(env).home, ...electron },
  };
}

async function setup({ agent, dryRun, json }: SetupOptions, terminal: Terminal): Promise<void> {
  const place: SetupPlace = { env: terminal.env, paths: coachPaths(terminal.env) };
  const steps = await planSetup(agent ?? null, mcpCommand(terminal.env), place);
  if (!dryRun) await applySetup(steps, place);
  if (json) {
    const rows = steps.map(({ registration, file, action }) => ({ agent: registration.id, file, action }));
    return terminal.print(JSON.stringify({ dryRun, registrations: rows }, null, 2));
  }
  if (steps.length === 0) {
    return terminal.print('No agent found on this machine. Name one: codex-coach setup --agent codex');
  }
  for (const { registration, file, action, before, after } of steps) {
    if (action === 'keep') terminal.print(`${registration.title}: registered already in ${file}`);
    else {
      terminal.print(`${registration.title}: ${before === null ? 'new file ' : ''}${file}`);
      terminal.print(changedLines(before ?? '', after));
    }
  }
  terminal.print(dryRun ? 'Nothing was written.' : 'Undo it with: codex-coach uninstall');
}

async function uninstall({ purge, yes, dryRun, json }: UninstallOptions, terminal: Terminal): Promise<void> {
  const place: SetupPlace = { env: terminal.env, paths: coachPaths(terminal.env) };
  const planned = purge ? planPurge(place) : null;
  const asks = planned !== null && planned.remove.length > 0 && !yes && !dryRun;
  const tell = !json ? terminal.print : asks ? terminal.note : () => undefined;
  const toUndo = await planUndo(place);
  tellUndo(toUndo, tell);
  if (planned !== null) tellPurge(planned, place, tell);
  if (dryRun) {
    tell('The background server is stopped, if one runs.');
    return terminal.print(json ? undoJson(true, toUndo, planned) : 'Nothing was changed.');
  }
  if (asks) await confirm('Remove it for good?', terminal);
  const onStopped = () => tell('The background server was stopped.');
  const lock = await stopServer(place.paths, { alone: purge, onStopped });
  try {
    // Planned again: others may have written those files since, and the server that stopped has closed its databases.
    const undo = await planUndo(place);
    await applyUndo(undo, place);
    requireUndone(undo, purge);
    const removal = purge ? planPurge(place) : null;
    if (removal !== null) await applyPurge(removal, place, lock);
    terminal.print(json ? undoJson(false, undo, removal) : undoneWords(undo, purge, place));
  } finally {
    lock?.release();
  }
}

function undoneWords({ steps }: UndoPlan, purge: boolean, { paths: { home } }: SetupPlace): string {
  if (purge) return 'Undone and removed. Tasks and runs in repositories (.coach/) stay.';
  const stays = existsSync(home) ? ` Recordings stay in ${home}; --purge removes them.` : '';
  return `${steps.length > 0 ? 'Undone' : 'No agent is registered'}.${stays}`;
}

/** `exact`: the file is to the byte what it was before. `left`: entries that stay, and why. `purge`: null without it. */
function undoJson(dryRun: boolean, { steps, left }: UndoPlan, purge: PurgePlan | null): string {
  const registrations = steps.map(({ registration, file, after, exact }) => {
    return { agent: registration.id, file, action: after === null ? 'remove' : 'edit', exact };
  });
  const answer = { dryRun, registrations, left: left.map(({ title, reason }) => ({ title, reason })), purge };
  return JSON.stringify(answer, null, 2);
}

function tellUndo({ steps, left }: UndoPlan, tell: (text: string) => void): void {
  for (const { registration, file, before, after, exact } of steps) {
    const kept = exact ? 'which makes it what it was before' : 'and later changes of others stay';
    const what = after === null ? 'is removed, as setup made it' : `loses our entry, ${kept}:`;
    tell(`${registration.title}: ${file} ${what}`);
    if (after !== null) tell(changedLines(before, after));
  }
  for (const { title, reason } of left) tell(`${title}: ${reason}`);
}

/** Agents that still know our tools would make COACH_HOME anew. */
function requireUndone({ left }: UndoPlan, purge: boolean): void {
  if (left.length === 0) return;
  throw new CoachError('input.invalid', left.map(({ reason }) => reason).join('\n'), {
    hint: `Our entry stays in it${purge ? ', and nothing was removed' : ''}. Mend the file and run this again.`,
  });
}

function tellPurge({ remove, stay }: PurgePlan, { paths }: SetupPlace, tell: (text: string) => void): void {
  tell(remove.length === 0 ? `${paths.home} holds nothing of ours.` : `To be removed from ${paths.home}:`);
  for (const { path, sizeBytes } of remove) tell(`  ${path}  ${formatBytes(sizeBytes)}`);
  for (const name of stay) tell(`  stays, not ours: ${name}`);
}

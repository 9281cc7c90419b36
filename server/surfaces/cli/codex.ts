import { agents } from '../../../protocol/agents.ts';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { findRecorded } from '../../agents/recorded.ts';
import { programOnPath } from '../../base/programs.ts';
import { askAgain } from '../../lastingChannel.ts';
import { launchKeys } from './launchKeys.ts';
import type { Terminal } from './terminal.ts';
import { runTraced, type TracedCommand, type TracedOutcome } from './traced.ts';

export interface TracedCodex extends Omit<TracedCommand, 'agent' | 'argv'> {
  /** Arguments for Codex. */
  readonly argv: readonly string[];
  /** A given program instead of the user's own or the cached one. */
  readonly program?: string;
}

/** Runs Codex with its traffic recorded and waits for its end. */
export async function runTracedCodex(spec: TracedCodex, channel: Channel, terminal: Terminal): Promise<TracedOutcome> {
  const { program, argv, ...rest } = spec;
  const codex = program ?? (await findCodex(channel, terminal));
  const keys = launchKeys(findRecorded('codex'), { ...terminal.env, ...spec.env }, spec.cwd);
  const env = { ...Object.fromEntries(keys.map(({ variable, value }) => [variable, value])), ...spec.env };
  return runTraced({ ...rest, agent: 'codex', argv: [codex, ...argv], env }, channel, terminal);
}

/** The user's own `codex` on PATH, else the one in the agent cache. */
async function findCodex(channel: Channel, terminal: Terminal): Promise<string> {
  const own = programOnPath('codex', terminal.env);
  if (own !== null) return own;
  const { rows } = await askAgain(() => remote(agents, channel).list({}));
  const cached = rows.find(row => row.id === 'codex');
  if (cached?.installed && cached.path !== null) return cached.path;
  throw new CoachError('agent.missing', 'No Codex CLI on PATH or in the agent cache.', {
    hint: 'Install it with: codex-coach agents install codex',
  });
}

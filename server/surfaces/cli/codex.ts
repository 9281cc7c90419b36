import { agents } from '../../../protocol/agents.ts';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { proxy, type UpstreamOverride } from '../../../protocol/proxy.ts';
import { type ExecOutcome, start } from '../../base/exec.ts';
import { programOnPath } from '../../base/programs.ts';
import type { Terminal } from './terminal.ts';

export interface TracedCodex {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly overrides?: readonly UpstreamOverride[];
  readonly replay?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** A given program instead of the user's own or the cached one. */
  readonly program?: string;
  /** Lines of output; without it Codex has the terminal to itself. */
  readonly onStdout?: (chunk: Buffer) => void;
  readonly onStderr?: (chunk: Buffer) => void;
}

export interface TracedOutcome extends ExecOutcome {
  /** What it was recorded under, oldest first; empty when nothing was. */
  readonly sessionIds: readonly string[];
}

/** Runs Codex with its traffic recorded and waits for its end. The launch is closed whatever happens. */
export async function runTracedCodex(spec: TracedCodex, channel: Channel, terminal: Terminal): Promise<TracedOutcome> {
  const program = spec.program ?? (await findCodex(channel, terminal));
  const proxyApi = remote(proxy, channel);
  const launch = await proxyApi.launch({
    agent: 'codex',
    overrides: [...(spec.overrides ?? [])],
    replay: spec.replay ?? false,
  });
  const env: NodeJS.ProcessEnv = { ...terminal.env, ...spec.env };
  for (const [name, value] of Object.entries(launch.env)) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  const inherit = spec.onStdout === undefined;
  const execution = start({
    argv: [program, ...spec.argv],
    cwd: spec.cwd,
    env,
    inherit,
    ...(spec.onStdout === undefined ? {} : { onStdout: spec.onStdout }),
    ...(spec.onStderr === undefined ? {} : { onStderr: spec.onStderr }),
  });
  // With the terminal its own, Codex hears Ctrl-C itself and decides what it means.
  const abort = () => void (inherit ? undefined : execution.kill());
  terminal.signal.addEventListener('abort', abort, { once: true });
  if (terminal.signal.aborted) abort();
  const close = async (): Promise<readonly string[]> => {
    terminal.signal.removeEventListener('abort', abort);
    return proxyApi.close({ token: launch.token }).then(
      closed => closed.sessionIds,
      () => [],
    );
  };
  let outcome: ExecOutcome;
  try {
    outcome = await execution.done;
  } catch (error) {
    await close();
    throw error;
  }
  return { ...outcome, sessionIds: await close() };
}

/** The user's own `codex` on PATH, else the one in the agent cache. */
async function findCodex(channel: Channel, terminal: Terminal): Promise<string> {
  const own = programOnPath('codex', terminal.env);
  if (own !== null) return own;
  const { rows } = await remote(agents, channel).list({});
  const cached = rows.find(row => row.id === 'codex');
  if (cached?.installed && cached.path !== null) return cached.path;
  throw new CoachError('agent.missing', 'No Codex CLI on PATH or in the agent cache.', {
    hint: 'Install it with: codex-coach agents install codex',
  });
}

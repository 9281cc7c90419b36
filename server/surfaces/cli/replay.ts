import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { agentOfCommand, type RecordedAgent } from '../../agents/recorded.ts';
import { askAgain } from '../../lastingChannel.ts';
import type { CommandContext } from './derived.ts';
import { requireProgram } from './trace.ts';
import { runTraced, shellExitCode, type TracedOutcome, unneededKey } from './traced.ts';

interface ReplayOptions {
  pace: number;
}

/** `codex-coach replay <recording> -- <command…>`: an agent that is answered from a recording, without any model. */
export function addReplayCommand(program: Command, context: CommandContext, exit: (code: number) => void): void {
  program
    .command('replay <recording> <command...>')
    .description('Run an agent that a recording answers instead of a model: no key, no network, no cost')
    .usage('[options] <session id, latest or recording file> -- <command> [arguments]')
    .option('--pace <factor>', 'time of the answers: immediate, recorded, or a factor on the recorded times', toPace, 0)
    .passThroughOptions()
    .action(async (recording: string, words: [string, ...string[]], options: ReplayOptions) => {
      exit(await replay(recording, commandOf(words), options, context));
    });
}

/** What follows the recording, with or without `--`. @throws CoachError `input.invalid` for nothing, or an option of ours */
function commandOf(words: [string, ...string[]]): [string, ...string[]] {
  const [first, program, ...rest] = words;
  if (first === '--' && program !== undefined) return [program, ...rest];
  if (first === '--') {
    throw new CoachError('input.invalid', 'After -- the command is missing that the recording is to answer.', {
      hint: 'Write it like: codex-coach replay <session> -- codex exec "the prompt"',
    });
  }
  if (!first.startsWith('-')) return words;
  throw new CoachError('input.invalid', `${first}: options stand before the session.`, {
    hint: 'Write it like: codex-coach replay --pace recorded <session> -- <command>',
  });
}

async function replay(
  recording: string,
  argv: [string, ...string[]],
  { pace }: ReplayOptions,
  { terminal, withServer }: CommandContext,
): Promise<number> {
  requireProgram(argv[0], terminal);
  const reference = /\.json$/.test(recording) ? resolve(terminal.cwd, recording) : `session:${recording}`;
  const outcome = await withServer(async channel => {
    const agent = agentOfCommand(argv) ?? (await recordedAgent(recording, channel));
    return runTraced(
      {
        agent: agent?.id ?? 'other',
        argv,
        cwd: terminal.cwd,
        recording: { reference, pace },
        env: placeholders(Object.values(agent?.keys ?? {}), terminal.env),
      },
      channel,
      terminal,
    );
  });
  const problems = replayProblems(outcome);
  for (const problem of problems) terminal.note(`codex-coach: ${problem}`);
  return problems.length > 0 ? 1 : shellExitCode(outcome);
}

/** Why a replay did not succeed, however the agent ended: it left the recording, asked nothing of it, or nobody knows. */
export function replayProblems({ closed, mismatches }: Pick<TracedOutcome, 'closed' | 'mismatches'>): string[] {
  if (closed) return mismatches.map(mismatch => `the agent left the recording. ${mismatch}`);
  return ['the background server did not tell whether the agent left the recording. Replay it again.'];
}

/** Who was recorded: the same agent is started, where its program's name does not tell. */
async function recordedAgent(recording: string, channel: Channel): Promise<RecordedAgent | null> {
  if (/\.json$/.test(recording)) return null;
  const { session } = await askAgain(() => remote(sessions, channel).exchanges({ sessionId: recording }));
  return session.agent === null ? null : agentOfCommand([session.agent]);
}

function placeholders(variables: readonly string[], env: NodeJS.ProcessEnv): Record<string, string> {
  const missing = variables.filter(variable => !env[variable]);
  return Object.fromEntries(missing.map(variable => [variable, unneededKey]));
}

function toPace(text: string): number {
  if (text === 'immediate') return 0;
  if (text === 'recorded') return 1;
  const factor = Number(text);
  if (Number.isFinite(factor) && factor >= 0) return factor;
  throw new InvalidArgumentError('Give immediate, recorded or a factor such as 0.5.');
}

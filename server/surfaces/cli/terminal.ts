import { CoachError } from '../../../protocol/errors.ts';

/** Exit codes of `codex-coach`; `--help` prints them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** A run ended, but at least one trial reached no verdict. */
  noVerdict: 3,
  interrupted: 130,
} as const;

/** What a command can do to the outside, replaceable in tests. */
export interface Terminal {
  print(text: string): void;
  /** Progress and faults: standard error, so that `--json` output stays clean. */
  note(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Characters in a line of what is printed to; left out where it is no terminal, and nothing has to fit. */
  readonly columns?: number;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** While an agent has the terminal, signals are its own: they go to `pass` until the answer is called. */
  handOver(pass: (signal: NodeJS.Signals) => void): () => void;
}

/** Several signals within this time are one: a terminal and npm may both pass on the same Ctrl-C. */
const sameSignalMs = 1000;

/** The process's own terminal. The first Ctrl-C asks everything to end; one more ends the process as it is. */
export function processTerminal(): Terminal {
  const interrupt = new AbortController();
  let firstAt: number | null = null;
  let agent: ((signal: NodeJS.Signals) => void) | null = null;
  const onSignal = (signal: NodeJS.Signals) => {
    if (agent !== null) return agent(signal);
    firstAt ??= Date.now();
    if (Date.now() - firstAt > sameSignalMs) process.exit(exitCodes.interrupted);
    interrupt.abort(new CoachError('cancelled', 'Interrupted.'));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  return {
    print: text => void process.stdout.write(`${text}\n`),
    note: text => void process.stderr.write(`${text}\n`),
    env: process.env,
    cwd: process.cwd(),
    ...(process.stdout.columns > 0 && { columns: process.stdout.columns }),
    signal: interrupt.signal,
    handOver(pass) {
      agent = pass;
      return () => {
        agent = null;
      };
    },
  };
}

/** Prints a fault as a person should read it and answers the exit code. */
export function reportFault(error: unknown, terminal: Terminal, json: boolean): number {
  const fault = CoachError.from(error);
  if (json) terminal.print(JSON.stringify({ error: fault.toShape() }, null, 2));
  else {
    terminal.note(`codex-coach: ${fault.message}`);
    if (fault.hint !== null) terminal.note(`  ${fault.hint}`);
    if (fault.code === 'internal' && terminal.env['COACH_STACK']) terminal.note(fault.stack ?? '');
  }
  if (fault.code === 'cancelled') return exitCodes.interrupted;
  return fault.code === 'input.invalid' ? exitCodes.usage : exitCodes.failed;
}

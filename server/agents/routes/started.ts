import { agentOfCommand } from '../recorded.ts';

/** Where the arguments of this agent begin in a command line; null when it starts something else, which may start the agent. */
export function agentArguments(agent: string, argv: readonly string[]): number | null {
  const started = argv.findIndex((_, index) => agentOfCommand(argv.slice(0, index + 1))?.id === agent) + 1;
  if (started === 0) return null;
  // npm takes options as its own up to its `--`.
  if (argv[0] !== 'npm' || argv.slice(0, started).includes('--')) return started;
  const passed = argv.indexOf('--', started);
  return passed < 0 ? null : passed + 1;
}

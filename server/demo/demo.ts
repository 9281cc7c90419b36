import type { Command } from 'commander';
import { remote } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { server } from '../../protocol/server.ts';
import { delay, within } from '../base/clock.ts';
import { isAlive } from '../base/exec.ts';
import { coachPaths } from '../base/paths.ts';
import { type ConnectOptions, connectToServer, type ServerConnection, whileConnected } from '../connect.ts';
import type { CommandContext } from '../surfaces/cli/derived.ts';
import { serverProgram } from '../surfaces/cli/places.ts';
import { confirmLive } from './live.ts';
import { runSteps } from './steps.ts';

interface DemoOptions {
  live: boolean;
  yes: boolean;
  model?: string;
}

const goneMs = 10_000;

/** `codex-coach demo`, which `npm start` runs: the main job from recording to report, on the sample project. */
export function addDemoCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('demo')
    .description(
      'The main job on a sample project: record, capture, prepare, prove, run, report. No key, no Docker needed',
    )
    .option('--live', 'with a real model: your own Codex login or key, after one confirmation', false)
    .option('--yes', 'confirm --live without being asked', false)
    .option('--model <model>', 'model for --live; default: the one that Codex chooses')
    .action(async (options: DemoOptions) => {
      refuseWithoutLive(options);
      if (options.live) await confirmLive(terminal, options.yes);
      const connectOptions: ConnectOptions = {
        paths: coachPaths(terminal.env),
        client: 'cli',
        program: serverProgram,
        // Its own world: any free port, unless one was chosen.
        env: { ...terminal.env, PROXY_PORT: terminal.env['PROXY_PORT'] ?? '0' },
      };
      const connection = await connectToServer(connectOptions);
      try {
        const { channel } = connection;
        const { paths } = connectOptions;
        const { live, model = null } = options;
        await whileConnected(connection, () => runSteps({ terminal, channel, paths, live, model }));
      } finally {
        if (connection.started && (await stopWhenIdle(connection))) await serverGone(connection);
        connection.dispose();
      }
    });
}

/** What is for a real model must not be passed over as if one had been asked. */
export function refuseWithoutLive({ live, yes, model }: DemoOptions): void {
  if (live || (!yes && model === undefined)) return;
  const [option, all] = model === undefined ? ['--yes', '--live --yes'] : ['--model', `--live --model ${model}`];
  throw new CoachError('input.invalid', `${option} is for --live: without it no model is asked.`, {
    hint: `Leave it out, or: codex-coach demo ${all}`,
  });
}

/** Asks until the last connection and sandbox are gone. False when others use the server: then it is theirs. */
async function stopWhenIdle({ channel }: ServerConnection): Promise<boolean> {
  for (const deadline = Date.now() + goneMs; Date.now() < deadline; await delay(100)) {
    const { stopping } = await remote(server, channel)
      .stop({ idle: true })
      .catch(() => ({ stopping: true }));
    if (stopping) return true;
  }
  return false;
}

/** Waits for the end of the server's process, so that nothing of the demo runs on when it returns. */
async function serverGone({ closed, info }: ServerConnection): Promise<void> {
  await within(goneMs, closed);
  const deadline = Date.now() + goneMs;
  while (isAlive(info.pid) && Date.now() < deadline) await delay(20);
}

import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { baseUrlsOf, noProxyOf, proxy } from '../../../protocol/proxy.ts';
import { server } from '../../../protocol/server.ts';
import { aborted } from '../../base/clock.ts';
import { Emitter } from '../../base/emitter.ts';
import { shellWord } from '../../base/shell.ts';
import { ServerEndedError } from '../../connect.ts';
import { codexCommand, codexOfShell, launchSecrets, printCommand } from './agentRoute.ts';
import type { CommandContext } from './derived.ts';
import { portNumber } from './numberOptions.ts';
import type { Terminal } from './terminal.ts';
import { checkEnvironment } from './traced.ts';

/** Adds `proxy run`: the proxy for as long as the command runs, with what a shell needs to send agents through it. */
export function addProxyRunCommand(group: Command, { terminal, withLastingServer }: CommandContext): void {
  group
    .command('run')
    .description('Keep the recording proxy running until Ctrl-C, and print what a shell needs to use it')
    .option('--port <value>', 'Port on 127.0.0.1; default: the setting proxy.port', portNumber)
    .action((options: { port?: number }) => {
      const reopened = new Emitter<void>();
      return withLastingServer(
        channel => runProxy(options, channel, reopened, terminal),
        () => reopened.fire(),
      );
    });
}

async function runProxy(
  options: { port?: number },
  channel: Channel,
  reopened: Emitter<void>,
  terminal: Terminal,
): Promise<void> {
  const note = (text: string) => terminal.note(`codex-coach: ${text}`);
  await checkEnvironment(channel, terminal.env, note);
  const api = remote(proxy, channel);
  const { host, port, caFile } = await api.start(options, terminal.signal);
  const address = `http://${host}:${port}`;
  const kept = untilInterrupted(reopened, terminal.signal, async () => {
    await checkEnvironment(channel, terminal.env, note);
    await api.start({ port: port ?? 0 }, terminal.signal);
    note(`the background server was ended and started again. The proxy is back on ${address}.`);
  });
  // Waited for below.
  kept.catch(() => undefined);
  const { env, codex, token } = await environmentOf(channel, terminal);
  terminal.print(`# Recording proxy on ${address}. Ctrl-C ends it. For agents in another shell:`);
  for (const [name, value] of Object.entries(env)) {
    terminal.print(value === null ? `unset ${name}` : `export ${name}=${shellWord(value)}`);
  }
  printCommand(codex, text => terminal.print(text));
  terminal.print('# Shows that the proxy decrypts for our certificate; without a key the model host refuses:');
  const curl = ['curl', '--proxy', address, '--cacert', caFile, 'https://api.openai.com/v1/models'];
  terminal.print(curl.map(shellWord).join(' '));
  await kept;
  if (token !== null) await api.close({ token }).catch(() => undefined);
  // Others may still need the server: a window, an agent, a trial.
  await remote(server, channel).stop({ idle: true });
}

/**
 * Each server that takes the place of one that ended has to be told to listen again: one that was stopped leaves nothing
 * behind. @throws CoachError when it can't, as agents would only meet a closed port
 */
async function untilInterrupted(
  reopened: Emitter<void>,
  signal: AbortSignal,
  listenAgain: () => Promise<void>,
): Promise<void> {
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const listener = reopened.on(() => {
    listenAgain().catch(error => {
      // The server that comes after that one is told, too.
      if (!signal.aborted && !(error instanceof ServerEndedError)) reject(error);
    });
  });
  try {
    await Promise.race([aborted(signal), failed]);
  } finally {
    listener.dispose();
  }
}

/** Codex may not be the agent that is meant: where its gateway can't be recorded, that is said and others still are. */
async function environmentOf(channel: Channel, terminal: Terminal) {
  const { environment } = remote(proxy, channel);
  const own = {
    noProxy: noProxyOf(terminal.env),
    baseUrls: baseUrlsOf(terminal.env),
    secrets: launchSecrets(terminal.env),
    pid: process.pid,
  };
  try {
    const route = await codexOfShell(terminal.env);
    const answer = await environment({ ...own, settings: route.settings }, terminal.signal);
    return { ...answer, codex: await codexCommand(route, answer) };
  } catch (error) {
    const { code, message } = CoachError.from(error);
    if (code !== 'input.invalid') throw error;
    const answer = await environment(own, terminal.signal);
    terminal.note(`codex-coach: in this shell Codex goes past the recording. ${message}`);
    return { ...answer, codex: ['codex'] as const };
  }
}

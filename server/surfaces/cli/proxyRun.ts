import type { Command } from 'commander';
import { remote } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { server } from '../../../protocol/server.ts';
import { aborted } from '../../base/clock.ts';
import { shellWord } from '../../base/shell.ts';
import type { CommandContext } from './derived.ts';
import { checkEnvironment } from './traced.ts';

/** Adds `proxy run`: the proxy for as long as the command runs, with what a shell needs to send agents through it. */
export function addProxyRunCommand(group: Command, { terminal, withLastingServer }: CommandContext): void {
  group
    .command('run')
    .description('Keep the recording proxy running until Ctrl-C, and print what a shell needs to use it')
    .option('--port <value>', 'Port on 127.0.0.1; default: the setting proxy.port')
    .action((options: { port?: string }) =>
      withLastingServer(async channel => {
        await checkEnvironment(channel, terminal.env, text => terminal.note(`codex-coach: ${text}`));
        const api = remote(proxy, channel);
        const { host, port, caFile } = await api.start(options, terminal.signal);
        const { env } = await api.environment({}, terminal.signal);
        const address = `http://${host}:${port}`;
        terminal.print(`# Recording proxy on ${address}. Ctrl-C ends it. For agents in another shell:`);
        for (const [name, value] of Object.entries(env)) {
          terminal.print(value === null ? `unset ${name}` : `export ${name}=${shellWord(value)}`);
        }
        terminal.print('# Shows that the proxy decrypts for our certificate; without a key the model host refuses:');
        const curl = ['curl', '--proxy', address, '--cacert', caFile, 'https://api.openai.com/v1/models'];
        terminal.print(curl.map(shellWord).join(' '));
        await aborted(terminal.signal);
        // Others may still need the server: a window, an agent, a trial.
        await remote(server, channel).stop({ idle: true });
      }),
    );
}

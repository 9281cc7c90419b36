import type { Command } from 'commander';
import { agents } from '../../../protocol/agents.ts';
import type { Channel } from '../../../protocol/channel.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { reviews } from '../../../protocol/reviews.ts';
import { runs } from '../../../protocol/runs.ts';
import { server } from '../../../protocol/server.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { suites } from '../../../protocol/suites.ts';
import { taskCreation, tasks } from '../../../protocol/tasks.ts';
import { aborted } from '../../base/clock.ts';
import { fileLog, logOptions } from '../../base/log.ts';
import { coachPaths, ensureHome } from '../../base/paths.ts';
import { shellWord } from '../../base/shell.ts';
import { publishedOf } from '../http/events.ts';
import { listenHttp } from '../http/listener.ts';
import { type Route, routesOf, toRoute } from '../http/routes.ts';
import { loadToken } from '../http/token.ts';
import { createTask } from './createTask.ts';
import { portNumber } from './numberOptions.ts';
import type { Terminal } from './terminal.ts';
import { checkEnvironment } from './traced.ts';

const apis = [tasks, suites, runs, reviews, sessions, agents, proxy, server];

type ServeChannel = Channel & { dispose(): void };

/** Adds `serve`: the HTTP door for as long as the command runs, a client of the background server like every other. */
export function addServeCommand(program: Command, terminal: Terminal, connect: () => ServeChannel): void {
  program
    .command('serve')
    .description('Answer HTTP requests on 127.0.0.1 until Ctrl-C: the same requests as on the command line')
    .option('--port <n>', 'port on 127.0.0.1; 0 takes a free one', portNumber, 3030)
    .action(async ({ port }: { port: number }) => {
      const channel = connect();
      try {
        await serveUntilInterrupted(port, channel, terminal);
      } finally {
        channel.dispose();
      }
    });
}

async function serveUntilInterrupted(port: number, channel: Channel, terminal: Terminal): Promise<void> {
  const paths = coachPaths(terminal.env);
  ensureHome(paths);
  const published = publishedOf(apis, channel);
  // Events come from a connection, which the first request makes.
  await checkEnvironment(channel, terminal.env, text => terminal.note(`codex-coach: ${text}`));
  const { log, close } = fileLog(paths.logs, 'http', logOptions(terminal.env));
  try {
    const routes = [...routesOf(apis, channel), creationRoute(channel, terminal)];
    const listener = await listenHttp(port, { routes, published, token: loadToken(paths.httpHeaderFile), log });
    const address = `http://127.0.0.1:${listener.port}`;
    terminal.print(`Listening on ${address}. Ctrl-C ends it. Every request shows the header in http.header:`);
    terminal.print(`  curl -H @${shellWord(paths.httpHeaderFile)} ${address}/openapi.json`);
    await aborted(terminal.signal);
    await listener.close();
  } finally {
    await close();
  }
}

/** Codex is run from here, as from a terminal, and ends with the request. */
function creationRoute(channel: Channel, terminal: Terminal): Route {
  return toRoute('tasks', 'create', taskCreation, (params, signal, tell) => {
    const decoder = new TextDecoder();
    const pass = (chunk: Buffer) => tell(decoder.decode(chunk, { stream: true }));
    const own = { ...terminal, signal: AbortSignal.any([terminal.signal, signal]) };
    return createTask(taskCreation.params.parse(params), pass, channel, own);
  });
}

import { remote } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { outerProxyOf } from '../../base/outerProxy.ts';
import { environmentSettings } from '../../base/settings.ts';
import { outerProxyFix, outerProxyProblem } from '../../surfaces/cli/traced.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';
import { isOurProxy, listens } from '../localPort.ts';

const host = '127.0.0.1';

/** The server, its proxy, and whether anything went past the recorder. */
export const checkProxy: Check = async examined => {
  const { server } = examined;
  if (server === null) return notRunning(examined);
  const { version, pid } = server.info;
  const running = finding('server', 'ok', `Version ${version} runs as process ${pid}.`);
  const otherWay = outerProxyProblem(outerProxyOf(examined.env), server.info.outerProxy);
  const way = otherWay === null ? [] : [finding('proxy', 'warning', otherWay, { fix: outerProxyFix })];
  const status = await remote(proxy, server.channel).status({});
  if (status.state === 'stopped') {
    return [running, finding('proxy', 'note', 'Not listening yet; the first launch starts it.')];
  }
  if (status.state === 'failed' || status.port === null) {
    return [running, finding('proxy', 'broken', `It can't listen: ${status.error ?? 'no reason given'}`, portFix)];
  }
  const answers = await isOurProxy(status.port);
  return [
    running,
    answers
      ? finding('proxy', 'ok', `Listening on ${host}:${status.port}.`)
      : finding('proxy', 'broken', `Nothing of ours answers on ${host}:${status.port}.`, {
          why: 'Agents that were started wait for it.',
          fix: 'codex-coach server stop, then codex-coach proxy start',
        }),
    ...way,
    recording(status.exchanges, status.uncaptured),
  ];
};

const portFix = { fix: 'Choose another port with PROXY_PORT (0 takes any free one), or stop that program.' };

async function notRunning({ env }: Examined): Promise<Finding[]> {
  const idle = finding('server', 'note', 'Not running; the first command that needs it starts it.');
  const port = environmentSettings(env).get('proxy.port');
  if (port === 0 || !(await listens(host, port))) return [idle];
  if (await isOurProxy(port)) {
    const what = `Port ${port} belongs to a Codex Coach with another COACH_HOME.`;
    return [idle, finding('proxy', 'broken', what, { why: 'Two can’t share a port.', ...portFix })];
  }
  return [idle, finding('proxy', 'broken', `Port ${port} is taken by another program.`, portFix)];
}

function recording(exchanges: number, uncaptured: number): Finding {
  if (uncaptured === 0) return finding('recording', 'ok', `${exchanges} exchanges recorded since the server started.`);
  return finding('recording', 'broken', `${uncaptured} connections to a model host gave no exchange.`, {
    why: 'Bytes went to a model and are not in the traces.',
    fix: 'See codex-coach /logs; an agent with a new wire format is worth a report.',
  });
}

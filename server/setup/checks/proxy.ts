import { remote } from '../../../protocol/api.ts';
import { budgetSentence, limitSentence, otherLimits } from '../../../protocol/budgets.ts';
import { type ProxyStatus, proxy, type RecordingFault } from '../../../protocol/proxy.ts';
import { lossSentence, uncountedFixes, uncountedSentence } from '../../../protocol/proxyWarnings.ts';
import { listens } from '../../base/localPlace.ts';
import { outerProxyOf } from '../../base/outerProxy.ts';
import { environmentSettings } from '../../base/settings.ts';
import { budgetWays } from '../../proxy/budget/budget.ts';
import { isOurProxy } from '../../proxy/listening/listening.ts';
import { formatTime } from '../../surfaces/cli/table.ts';
import { outerProxyProblem, startAnew } from '../../surfaces/cli/traced.ts';
import { type Check, type Examined, type Finding, finding } from '../finding.ts';

const host = '127.0.0.1';

/** The server, its proxy, and whether anything went past the recorder. */
export const checkProxy: Check = async examined => {
  const { server } = examined;
  if (server === null) return notRunning(examined);
  const { version, pid } = server.info;
  const running = finding('server', 'ok', `Version ${version} runs as process ${pid}.`);
  const otherWay = outerProxyProblem(outerProxyOf(examined.env), server.info.outerProxy);
  const way = otherWay === null ? [] : [finding('proxy', 'warning', otherWay, { fix: startAnew })];
  const status = await remote(proxy, server.channel).status({});
  if (status.state === 'stopped') {
    return [running, finding('proxy', 'note', 'Not listening yet; the first launch starts it.'), ...limited(status)];
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
    ...recording(status),
    ...unreached(status),
    ...distrusting(status),
    ...limited(status),
    ...uncounted(status),
  ];
};

const portFix = {
  fix: 'Stop that program, or choose another port: codex-coach server stop, then PROXY_PORT=<port> (0 takes any free one).',
};

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

/** Losses, what is wrong with the storage, and what was kept from being recorded: each has another remedy. */
function recording({ exchanges, lossesToday, recordingFault: fault }: ProxyStatus): Finding[] {
  const found: Finding[] = [];
  if (fault !== null && !fault.over) {
    const why = 'Traffic goes on, and what is recorded is stored when this ends.';
    found.push(finding('recording', 'warning', fault.reason, { why, fix: storageFixes[fault.fault] }));
  } else if (fault !== null) found.push(finding('recording', 'note', `Over: ${fault.reason}`));
  if (lossesToday !== null) {
    found.push(
      finding('recording', 'broken', lossSentence(lossesToday), {
        why: 'Bytes went to a model and are not in the traces.',
        fix: 'See codex-coach /logs for each of them.',
      }),
    );
  }
  if (found.length > 0) return found;
  return [finding('recording', 'ok', `${exchanges} exchanges recorded since the server started.`)];
}

const storageFixes: Record<RecordingFault['fault'], string> = {
  full: 'Make room on that disk.',
  locked: 'End the program that holds the database open in a transaction.',
  readOnly: 'Make the file and its directory writable again.',
  damaged: 'Move the damaged file away.',
  failed: 'Look into the system’s log for errors of that disk.',
  replaced: 'Leave the file where it is while the server runs.',
};

function distrusting({ distrusting: programs, bundleFile }: ProxyStatus): Finding[] {
  return programs.map(({ host, program, connections }) =>
    finding('certificate', 'broken', `${program} gave up ${connections} connections to ${host} at our certificate.`, {
      why: 'The program does not trust our certificate, so that it reaches no model.',
      fix: `Start it with codex-coach, or set NODE_EXTRA_CA_CERTS and SSL_CERT_FILE to ${bundleFile} for it.`,
    }),
  );
}

function unreached({ unreached: failures }: ProxyStatus): Finding[] {
  return failures.map(({ host, reason, hint, at }) =>
    finding('upstream', 'broken', `${host} could not be reached when it was last tried, ${formatTime(at)}.`, {
      why: reason,
      fix: hint ?? 'Mend the way there. This is forgotten when a connection succeeds, or after an hour without any.',
    }),
  );
}

/** Limits in force. While the day's is used up, no agent reaches a model. */
function limited(status: ProxyStatus): Finding[] {
  const used = status.budgets.map(use => {
    const level = use.state === 'spent' && use.scope === 'day' ? 'broken' : 'note';
    const fix = `${budgetWays[use.scope][use.unit]} A server takes limits when it starts: codex-coach server stop`;
    return finding('budget', level, budgetSentence(use), level === 'broken' ? { fix } : {});
  });
  return [...used, ...otherLimits(status).map(limit => finding('budget', 'ok', limitSentence(limit)))];
}

function uncounted({ uncounted: spent }: ProxyStatus): Finding[] {
  return spent.map(spend =>
    finding('budget', 'warning', uncountedSentence(spend), {
      why: `${spend.exchanges} of its exchanges went by it, and more will.`,
      fix: uncountedFixes[spend.lacks],
    }),
  );
}

// Answers a benchmark over HTTP from inside the extension host, which all extensions of a window share.
const { createServer } = require('node:http');
const { writeFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const vscode = require('vscode');

const resolutionMs = 1;
let delays;

/** What each answers is in milliseconds. */
const answers = {
  /** What loading and activating another extension takes, on the clock and of this thread; null when it was active. */
  async activate(id) {
    const extension = vscode.extensions.getExtension(id);
    if (extension.isActive) return null;
    const [startedAt, before] = [performance.now(), process.threadCpuUsage()];
    await extension.activate();
    const { user, system } = process.threadCpuUsage(before);
    return { wallMs: performance.now() - startedAt, threadMs: (user + system) / 1000 };
  },
  async command(id) {
    await vscode.commands.executeCommand(id);
    return null;
  },
  'delay/start': () => {
    delays = monitorEventLoopDelay({ resolution: resolutionMs });
    delays.enable();
    return null;
  },
  /** The longest that the host's loop was held up since. */
  'delay/stop': () => {
    delays.disable();
    return Math.max(0, delays.max / 1e6 - resolutionMs);
  },
};

exports.activate = context => {
  const rows = Array.from({ length: 100 }, (_, index) => ({ label: `Row ${index}`, description: 'in memory' }));
  const provider = { getTreeItem: row => row, getChildren: row => (row === undefined ? rows : []) };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://probe');
    const answer = answers[pathname.slice(1)];
    response.end(JSON.stringify(answer === undefined ? null : await answer(searchParams.get('id'))));
  });
  server.listen(0, '127.0.0.1', () => writeFileSync(process.env.PERF_PROBE_PORT_FILE, String(server.address().port)));
  context.subscriptions.push(vscode.window.registerTreeDataProvider('perfProbe.rows', provider), {
    dispose: () => server.close(),
  });
};

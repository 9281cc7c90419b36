// Runs functions of a test in the extension host, with the editor's API, and answers what they return.
const { createServer } = require('node:http');
const { text } = require('node:stream/consumers');
const { writeFileSync } = require('node:fs');
const vscode = require('vscode');

exports.activate = context => {
  const server = createServer(async (request, response) => {
    try {
      const { work, args } = JSON.parse(await text(request));
      const value = await new Function(`return (${work})`)()(vscode, ...args);
      response.end(JSON.stringify({ value: value ?? null }));
    } catch (error) {
      response.end(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
    }
  });
  server.listen(0, '127.0.0.1', () => writeFileSync(process.env.HOST_PROBE_PORT_FILE, String(server.address().port)));
  context.subscriptions.push({ dispose: () => server.close() });
};

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { remote } from '../../../protocol/api.ts';
import { proxy } from '../../../protocol/proxy.ts';
import { isAlive } from '../../../server/base/exec.ts';
import { requireFeature } from '../../require.ts';
import { cliProgram, until } from '../../world.ts';
import { aCodexWorld, type CodexWorld, startTurn, storedExchanges } from './tracedCodex.ts';

/** An MCP process as an agent starts it. */
async function anMcpProcess({ home }: CodexWorld) {
  const client = new Client({ name: 'test', version: '1' });
  const env = Object.fromEntries(Object.entries(home.env).filter(entry => entry[1] !== undefined)) as Record<
    string,
    string
  >;
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cliProgram, 'mcp'],
    env,
    stderr: 'ignore',
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const port = async () => {
    const { content } = await client.callTool({ name: 'proxy_status', arguments: {} });
    return (JSON.parse((content as { text: string }[])[0]?.text ?? '{}') as { port: number }).port;
  };
  return { pid: transport.pid ?? -1, port };
}

describe.skipIf(!requireFeature('codex'))('windows, commands and MCP processes', { timeout: 120_000 }, () => {
  it('share one server and one port from the first moment, and go on when others are killed', async () => {
    let release = () => {};
    const released = new Promise<null>(resolve => {
      release = () => resolve(null);
    });
    const world = await aCodexWorld({ halfway: () => released });
    const script = 'SHELL echo one\nADD made.txt made\nSAY All done.';
    const turns = [startTurn(world, script), startTurn(world, script)] as const;
    const [window, other, mcp, otherMcp] = await Promise.all([
      world.home.connect(),
      world.home.connect(),
      anMcpProcess(world),
      anMcpProcess(world),
    ]);
    await until(() => world.calls().length === 2, 60_000);
    const servers = () => world.home.processes().filter(({ command }) => command.includes('server.cjs'));
    expect(servers().map(({ pid }) => pid)).toEqual([window.info.pid]);
    const { port } = await remote(proxy, window.channel).status({});
    expect([await mcp.port(), await otherMcp.port()]).toEqual([port, port]);
    expect(world.home.ports()).toHaveLength(1);

    for (const pid of [turns[0].pid, mcp.pid]) process.kill(pid, 'SIGKILL');
    window.dispose();
    await until(() => !isAlive(mcp.pid));
    release();
    expect(await turns[1].done).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
    // Also the agent whose launcher was killed: its launch is still open.
    expect(await turns[0].done).toMatchObject({ code: null, stdout: expect.stringContaining('All done.') });
    expect(turns.map(({ directory }) => existsSync(join(directory, 'made.txt')))).toEqual([true, true]);
    expect((await remote(proxy, other.channel).status({})).port).toBe(port);
    expect(await otherMcp.port()).toBe(port);
    expect(servers().map(({ pid }) => pid)).toEqual([other.info.pid]);
    await expect.poll(() => storedExchanges(world).length, { timeout: 20_000 }).toBe(6);
    expect(new Set(storedExchanges(world).map(({ session }) => session)).size).toBe(2);
  });
});

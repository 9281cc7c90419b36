import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openServerStream, processGone, type ServerPlace, serverPlace } from '../../../client/connection.ts';
import { temporaryDirectory } from '../../temporary.ts';

/** A program that the client can start as the background server. */
function aProgram(source: string): { place: ServerPlace; program: string; env: NodeJS.ProcessEnv } {
  const directory = temporaryDirectory();
  const program = join(directory, 'server.cjs');
  writeFileSync(program, source);
  const env = { ...process.env, COACH_HOME: join(directory, 'home') };
  return { place: serverPlace(env), program, env };
}

const listening = `
  const { join } = require('node:path');
  const { writeFileSync } = require('node:fs');
  const home = process.env.COACH_HOME;
  writeFileSync(join(home, 'environment.json'), JSON.stringify(process.env));
  require('node:net').createServer(socket => socket.end(String(process.pid))).listen(join(home, 'server.sock'));
  setTimeout(() => process.exit(0), 20000);
`;

async function pidOf(stream: NodeJS.ReadableStream): Promise<number> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return Number(text);
}

function endAfterTest(pid: number): void {
  onTestFinished(async () => {
    process.kill(pid, 'SIGKILL');
    await processGone(pid, 5000);
  });
}

describe('connecting to the background server', () => {
  it('starts the server when none answers, and finds it the second time', async () => {
    const { place, program, env } = aProgram(listening);
    const first = await pidOf(await openServerStream(place, program, env));
    endAfterTest(first);
    expect(await pidOf(await openServerStream(place, program, env))).toBe(first);
  });

  it('gives the server nothing of the editor around it', async () => {
    const { place, program, env } = aProgram(listening);
    const pid = await pidOf(
      await openServerStream(place, program, { ...env, VSCODE_IPC_HOOK: 'x', npm_config_prefix: 'x', PROXY_PORT: '0' }),
    );
    endAfterTest(pid);
    const seen = JSON.parse(readFileSync(join(place.home, 'environment.json'), 'utf8')) as Record<string, string>;
    expect(Object.keys(seen).filter(name => /^(VSCODE_|npm_)/.test(name))).toEqual([]);
    expect(seen['PROXY_PORT']).toBe('0');
    expect(seen['COACH_HOME']).toBe(place.home);
  });

  it('says at once why the server can’t start, with the place of all its output', async () => {
    const { place, program, env } = aProgram('console.error("at first\\nno disk"); process.exit(3)');
    mkdirSync(dirname(place.outputFile), { recursive: true });
    writeFileSync(place.outputFile, 'of an earlier one\n');
    await expect(openServerStream(place, program, env)).rejects.toMatchObject({
      code: 'server.unreachable',
      message: "The background server can't start: no disk.",
      hint: expect.stringContaining(place.outputFile),
    });
    expect(readFileSync(place.outputFile, 'utf8')).toBe('of an earlier one\nat first\nno disk\n');
  });

  it('says with what code the server ended when it left no word', async () => {
    const { place, program, env } = aProgram('process.exit(3)');
    mkdirSync(dirname(place.outputFile), { recursive: true });
    writeFileSync(place.outputFile, 'of an earlier one\n');
    await expect(openServerStream(place, program, env)).rejects.toMatchObject({
      message: expect.stringContaining('exited with code 3'),
    });
  });

  it('starts the server again when it left its place to one that was only ending', async () => {
    const { place, program, env } = aProgram(`
      const tried = require('node:path').join(process.env.COACH_HOME, 'tried');
      if (!require('node:fs').existsSync(tried)) {
        require('node:fs').writeFileSync(tried, '');
        process.exit(0);
      }
      ${listening}
    `);
    const pid = await pidOf(await openServerStream(place, program, env));
    endAfterTest(pid);
    expect(pid).toBeGreaterThan(0);
  });

  it('takes the server that another window started meanwhile', async () => {
    const { place, program, env } = aProgram('process.exit(0)');
    mkdirSync(dirname(place.endpoint), { recursive: true });
    const other = createServer(socket => socket.end('1'));
    onTestFinished(() => void other.close());
    setTimeout(() => other.listen(place.endpoint), 300);
    expect(await pidOf(await openServerStream(place, program, env))).toBe(1);
  });
});

import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requireFeature } from '../../require.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { serverProgram } from '../../world.ts';
import { aCodexWorld, startTurn, storedExchanges, visibleWarnings } from './tracedCodex.ts';

/** The built server, whose recorder throws at the next bytes once the file `order` is there, which it takes away. */
function aServerThatCrashesOn(order: string): string {
  const directory = join(temporaryDirectory(), 'dist');
  mkdirSync(directory);
  cpSync(dirname(serverProgram), directory, { recursive: true });
  const worker = join(directory, 'recorder.cjs');
  const crashing = `const { parentPort } = require('node:worker_threads');
    const { existsSync, rmSync } = require('node:fs');
    parentPort.on('message', ({ kind }) => {
      if (kind !== 'batch' || !existsSync(${JSON.stringify(order)})) return;
      rmSync(${JSON.stringify(order)});
      throw new Error('as ordered');
    });`;
  writeFileSync(worker, `${crashing}\n${readFileSync(worker, 'utf8')}`);
  return join(directory, 'server.cjs');
}

describe.skipIf(!requireFeature('codex'))(
  'a recorder that crashes in the middle of a stream',
  { timeout: 120_000 },
  () => {
    it.each([
      ['SSE', {}, 'recorded'],
      ['a WebSocket', { webSocket: true }, 'recorded'],
      // Its messages are compressed with those before, which the next thread has not seen: it says so.
      ['a compressed WebSocket', { webSocket: true, deflate: true }, 'lost'],
    ] as const)(
      'over %s: the turn goes on, a warning is seen, and the next turn is recorded whole',
      async (_, transport, rest) => {
        const order = join(temporaryDirectory(), 'crash');
        let calls = 0;
        const world = await aCodexWorld({
          ...transport,
          halfway({ body }) {
            if (body?.['generate'] !== false && ++calls === 4) writeFileSync(order, '');
            return null;
          },
        });
        await world.home.connect(aServerThatCrashesOn(order));
        const script = 'SHELL echo one\nADD two.txt two\nSAY All done.';
        const before = await startTurn(world, script).done;
        const acknowledged = storedExchanges(world);
        const crashed = startTurn(world, script);
        expect(await crashed.done).toMatchObject({ code: 0, stdout: expect.stringContaining('All done.') });
        expect(readFileSync(join(crashed.directory, 'two.txt'), 'utf8')).toBe('two\n');
        // A broken connection would have been tried again.
        expect(world.calls()).toHaveLength(6);
        const warnings = await visibleWarnings(world);
        expect(warnings.uncaptured).toBe(rest === 'recorded' ? 1 : 2);
        expect(warnings.log).toContain('as ordered');
        const after = await startTurn(world, script).done;
        const stored = storedExchanges(world);
        expect(stored.slice(0, acknowledged.length)).toEqual(acknowledged);
        const ofThread = (id: string) =>
          stored.filter(({ session, outputTokens }) => session === id && outputTokens !== 0);
        expect(ofThread(before.threadId)).toHaveLength(3);
        // Its first call is lost or not: the crash is at the next bytes of any connection.
        const kept = ofThread((await crashed.done).threadId).length;
        expect(kept >= 2 ? 'recorded' : 'lost').toBe(rest);
        expect(ofThread(after.threadId)).toHaveLength(3);
      },
    );
  },
);

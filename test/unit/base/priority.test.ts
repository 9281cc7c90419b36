import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';

describe.runIf(process.platform === 'linux')('a thread that gives way', () => {
  it('is behind the others of its process, which stay as they are', async () => {
    const code = `
      const { readlinkSync } = require('node:fs');
      const { basename } = require('node:path');
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData).then(({ giveWay }) => {
        giveWay();
        parentPort.on('message', () => undefined);
        parentPort.postMessage(Number(basename(readlinkSync('/proc/thread-self'))));
      });`;
    const before = getPriority(process.pid);
    const worker = new Worker(code, {
      eval: true,
      workerData: new URL('../../../server/base/priority.ts', import.meta.url).href,
    });
    onTestFinished(() => void worker.terminate());
    const thread = await new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(readdirSync(`/proc/${process.pid}/task`)).toContain(String(thread));
    expect(getPriority(thread)).toBeGreaterThan(before);
    expect(getPriority(process.pid)).toBe(before);
  });
});

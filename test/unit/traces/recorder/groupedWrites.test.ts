import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TraceStorage } from '../../../../server/traces/recorder/traceStorage.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { temporaryDirectory } from '../../../temporary.ts';

describe('writes that came together', () => {
  it('are stored but for the one that can’t be, and each is told once', () => {
    const warnings: string[] = [];
    const storage = new TraceStorage({
      file: join(temporaryDirectory(), 'traces.sqlite3'),
      redactor: new Redactor(),
      idleMs: 1000,
      faulted: ({ reason }) => void warnings.push(reason),
      lost: (_count, reason) => void warnings.push(reason),
    });
    const told: string[] = [];
    const side = (path: string) =>
      storage.write(10, ({ writer }) => {
        if (path === '/broken') throw new TypeError('not to be stored');
        writer.side('api.openai.com', { atMs: 0, method: 'GET', path, kind: 'models', status: 200, sizeBytes: 1 });
        return () => void told.push(path);
      });
    storage.group(() => {
      for (const path of ['/a', '/broken', '/b']) side(path);
      expect(told).toEqual([]);
    });
    expect(warnings).toEqual(['not to be stored']);
    expect(told).toEqual(['/a', '/b']);
    const requests = storage.whenSound(({ writer }) =>
      writer.database.prepare("SELECT requests FROM side_traffic WHERE path IN ('/a', '/b')").pluck().all(),
    );
    expect(requests).toEqual([1, 1]);
    storage.close();
  });
});

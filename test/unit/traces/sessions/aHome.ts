import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { onTestFinished } from 'vitest';
import { CodexSessionFiles } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { sessionHandlers } from '../../../../server/traces/handlers.ts';
import { readInThisThread } from '../../../../server/traces/reader/readerInThisThread.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { aThread, threadId } from '../codexFiles/aThread.ts';
import { anOrigin, aRecorder, aReply, said } from '../recordedTraffic.ts';

const replayed = anOrigin({ launch: { id: 'l', agent: 'codex', label: null, trialId: null, replay: true } });

/** A trace store and session files of Codex beside it. */
export function aHome(nowMs = Date.parse('2026-01-10')) {
  const recorder = aRecorder();
  const codexHome = join(recorder.directory, 'codex', '2026');
  mkdirSync(codexHome, { recursive: true });
  const upkeep = async () => null;
  const reader = readInThisThread({ tracesDb: recorder.file, codexDirectories: [codexHome] });
  onTestFinished(() => reader.dispose());
  const sessions = sessionHandlers({
    reader,
    store: recorder.store,
    files: new CodexSessionFiles([codexHome], new Redactor(), { leftOut: () => recorder.store.deletedReplays() }),
    recorder: { upkeep },
    clock: { now: () => nowMs },
  });
  return {
    sessions,
    /** Of what a recording answers. */
    replayed,
    prune: (...ids: string[]) => recorder.upkeep({ kind: 'prune', selection: { kind: 'sessions', ids } }),
    /** As a fault of the disk, or another program, may leave the database. */
    damage(sql: string) {
      const database = new Database(recorder.file);
      database.exec(sql);
      database.close();
    },
    record: (id: string, at: string, origin = anOrigin()) =>
      recorder.record(
        {
          request: { model: 'gpt-5.5', input: [said('user', `Recorded ${id}`)] },
          response: aReply([]),
          headers: { 'thread-id': id },
        },
        Date.parse(at),
        origin,
      ),
    codexFile(id: string, at: string, content = aThread().text()) {
      const file = join(codexHome, `rollout-2026-01-01T00-00-00-${id}.jsonl`);
      writeFileSync(file, content.replaceAll(threadId, id));
      utimesSync(file, new Date(at), new Date(at));
    },
  };
}

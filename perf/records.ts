import Database from 'better-sqlite3';
import { TraceStore } from '../server/traces/store.ts';
import type { Stored } from './contestant.ts';

const sampleRows = 20;
/** How long a recorder may take for its next row; after that the rest is missing. */
const stalledMs = 20_000;

/** What a peer's database has of a run; its rows carry the run's name in the request. */
export function peerRecords(file: string): (run: string, expectedRows: number) => Promise<Stored> {
  let seenId = 0;
  return async (run, expectedRows) => {
    const database = new Database(file, { readonly: true });
    const like = `%"${run}-%`;
    const ofRun = 'FROM exchanges WHERE id > ? AND CAST(request AS TEXT) LIKE ?';
    const count = database.prepare(`SELECT count(*) ${ofRun}`).pluck();
    const rows = await untilStored(expectedRows, () => count.get(seenId, like) as number);
    const sample = database
      .prepare<[number, string, number], { request: Buffer; response: Buffer }>(
        `SELECT request, response ${ofRun} ORDER BY id DESC LIMIT ?`,
      )
      .all(seenId, like, sampleRows)
      .map(({ request, response }) => ({ request: request.toString(), response: response.toString() }));
    // Runs come one after the other: what is there now need not be looked through again.
    seenId = database.prepare('SELECT coalesce(max(id), 0) FROM exchanges').pluck().get() as number;
    database.close();
    return { rows, sample };
  };
}

/** What our database has of a run; its sessions are named after it. */
export function ourRecords(file: string): (run: string, expectedRows: number) => Promise<Stored> {
  return async (run, expectedRows) => {
    const database = new Database(file, { readonly: true });
    const count = database.prepare('SELECT count(*) FROM exchanges WHERE session_id GLOB ?').pluck();
    const rows = await untilStored(expectedRows, () => count.get(`${run}-*`) as number);
    database.close();
    const store = new TraceStore(file);
    const sample = [...store.wholeExchanges(`${run}-0`)].slice(0, sampleRows);
    store.dispose();
    return {
      rows,
      sample: sample.map(({ request, response }) => ({
        request: JSON.stringify(request),
        response: JSON.stringify(response),
      })),
    };
  };
}

async function untilStored(expectedRows: number, rows: () => number): Promise<number> {
  let found = rows();
  for (let changedMs = Date.now(); found < expectedRows && Date.now() - changedMs < stalledMs; ) {
    await new Promise(resolve => setTimeout(resolve, 20));
    const now = rows();
    if (now !== found) changedMs = Date.now();
    found = now;
  }
  return found;
}

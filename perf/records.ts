import Database from 'better-sqlite3';
import { TraceStore } from '../server/traces/store.ts';
import type { Stored } from './contestants.ts';

const sampleRows = 20;
/** How long a recorder may lag behind the last reply. */
const lagMs = 20_000;

/** What a peer's database has of a run; its rows carry the run's name in the request. */
export function peerRecords(file: string): (run: string, expectedRows: number) => Promise<Stored> {
  return async (run, expectedRows) => {
    const database = new Database(file, { readonly: true });
    const like = `%"${run}-%`;
    const count = database.prepare('SELECT count(*) FROM exchanges WHERE CAST(request AS TEXT) LIKE ?').pluck();
    const rows = await untilStored(expectedRows, () => count.get(like) as number);
    const sample = database
      .prepare<[string, number], { request: Buffer; response: Buffer }>(
        'SELECT request, response FROM exchanges WHERE CAST(request AS TEXT) LIKE ? ORDER BY id DESC LIMIT ?',
      )
      .all(like, sampleRows)
      .map(({ request, response }) => ({ request: request.toString(), response: response.toString() }));
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
  for (const until = Date.now() + lagMs; found < expectedRows && Date.now() < until; found = rows()) {
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return found;
}

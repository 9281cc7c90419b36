import Database from 'better-sqlite3';

/** How often a peer's rows are written: one transaction for all that came meanwhile, as suits SQLite best. */
const batchMs = 50;

/** The smallest database that records an exchange: what a peer's user would write. */
export function openPeerStore(file: string): (request: Buffer, response: Buffer) => void {
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec('CREATE TABLE exchanges (id INTEGER PRIMARY KEY, at_ms INTEGER, request BLOB, response BLOB)');
  const insert = database.prepare('INSERT INTO exchanges (at_ms, request, response) VALUES (?, ?, ?)');
  let rows: [number, Buffer, Buffer][] = [];
  const write = database.transaction((batch: typeof rows) => {
    for (const row of batch) insert.run(...row);
  });
  return (request, response) => {
    if (rows.length === 0) {
      setTimeout(() => {
        const batch = rows;
        rows = [];
        write(batch);
      }, batchMs);
    }
    rows.push([Date.now(), request, response]);
  };
}

import type { Sqlite } from '../../base/sqlite.ts';
import { joinHead } from './heads.ts';
import { ItemReader } from './items.ts';
import { unpack } from './packing.ts';
import { WireRecord } from './records.ts';
import { storedColumns } from './storedParts.ts';
import { toWireReply, toWireText, type WireReply, type WireText } from './wireText.ts';

/** An exchange as it was on the wire; null when there is none, or only what it says was recorded. */
export function wireTextOf(database: Sqlite, id: string): WireText | null {
  const record = recordOf(database, id);
  if (record === null) return null;
  const request = whole(database, record.request_head, record.request_json);
  const { dialect, request_verbatim: requestVerbatim } = record;
  return toWireText({ ...replyOf(database, record), dialect, request, requestVerbatim });
}

/** Of that the reply alone: it costs nothing of the conversation before it. */
export function wireReplyOf(database: Sqlite, id: string): WireReply | null {
  const record = recordOf(database, id);
  return record === null ? null : toWireReply(replyOf(database, record));
}

function recordOf(database: Sqlite, id: string): WireRecord | null {
  const columns = `ts_ms, request_verbatim, request_bytes, response_events, ${storedColumns}`;
  const row = database
    .prepare(`SELECT ${columns} FROM exchanges LEFT JOIN wire ON exchange_seq = seq WHERE id = ?`)
    .get(id);
  const record = row === undefined ? null : WireRecord.parse(row);
  return record === null || record.request_bytes === null ? null : record;
}

function replyOf(database: Sqlite, record: WireRecord) {
  const response = whole(database, record.response_head, record.response_json);
  return { startedAtMs: record.ts_ms, response, responseEvents: record.response_events };
}

/** What is stored, every reference expanded. */
export function whole(database: Sqlite, head: string | null, own: string | null): unknown {
  if (own === null) return null;
  const items = new ItemReader(database);
  return unpack(joinHead(head, own), item => items.text(item));
}

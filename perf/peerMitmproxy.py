"""Addon of mitmdump that stores request and response bodies, and lets event streams pass unbuffered."""

import asyncio
import os
import sqlite3
import time

BATCH_SECONDS = 0.05


class Store:
    def __init__(self):
        self.database = sqlite3.connect(os.environ["PEER_DATABASE"], isolation_level=None)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = NORMAL")
        self.database.execute(
            "CREATE TABLE exchanges (id INTEGER PRIMARY KEY, at_ms INTEGER, request BLOB, response BLOB)"
        )
        self.rows = []

    def responseheaders(self, flow):
        if flow.response.headers.get("content-type", "").startswith("text/event-stream"):
            chunks = flow.metadata["chunks"] = []

            def keep(chunk):
                chunks.append(chunk)
                return chunk

            flow.response.stream = keep

    def response(self, flow):
        chunks = flow.metadata.get("chunks")
        response = b"".join(chunks) if chunks is not None else flow.response.raw_content
        if not self.rows:
            asyncio.get_running_loop().call_later(BATCH_SECONDS, self.write)
        self.rows.append((int(time.time() * 1000), flow.request.raw_content, response))

    def done(self):
        self.write()

    def write(self):
        self.database.execute("BEGIN")
        self.database.executemany("INSERT INTO exchanges (at_ms, request, response) VALUES (?, ?, ?)", self.rows)
        self.database.execute("COMMIT")
        self.rows = []


addons = [Store()]

/** What the reader's thread is started with. */
export interface ReadingOptions {
  /** `traces.sqlite3` */
  readonly tracesDb: string;
  /** Where Codex keeps its own sessions, see `codexSessionDirectories`. */
  readonly codexDirectories: readonly string[];
  /** Values to be redacted in Codex's own files, wherever they stand. */
  readonly secrets?: readonly string[];
}

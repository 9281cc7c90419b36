import { Regrade, RunEvent, RunState, RunSummary, TrialSummary } from '../../../protocol/runs.ts';
import { TaskProof } from '../../../protocol/tasks.ts';
import { tallyOf } from '../../../protocol/trialState.ts';
import { type Clock, toIso } from '../../base/clock.ts';
import { openDatabase, type Sqlite } from '../../base/sqlite.ts';
import { ReviewStore } from '../reviews/reviewStore.ts';
import { Try } from '../trials/tries.ts';
import type { ProofLog } from '../validate.ts';
import { addCosts, meanReward, sumUsage } from '../verifier/score.ts';

const migrations = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    repository TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    run_json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX runs_by_time ON runs (created_at DESC);
  CREATE TABLE trials (
    id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    trial_json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX trials_by_run ON trials (run_id, position);
  CREATE TABLE run_events (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    event_json TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE runs ADD COLUMN options_json TEXT;
  ALTER TABLE trials ADD COLUMN fingerprint TEXT;
  CREATE INDEX trials_by_fingerprint ON trials (fingerprint) WHERE fingerprint IS NOT NULL;
  CREATE TABLE tries (
    trial_id TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    try_json TEXT NOT NULL,
    PRIMARY KEY (trial_id, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE regrades (
    trial_id TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    regrade_json TEXT NOT NULL,
    PRIMARY KEY (trial_id, number)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE task_proofs (
    id INTEGER PRIMARY KEY,
    directory TEXT NOT NULL,
    digest TEXT NOT NULL,
    proven_at INTEGER NOT NULL,
    proof_json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX task_proofs_by_digest ON task_proofs (digest, id);
  `,
  `
  CREATE TABLE review_comments (
    id TEXT PRIMARY KEY,
    trial_id TEXT NOT NULL REFERENCES trials (id) ON DELETE CASCADE,
    reply_to TEXT REFERENCES review_comments (id) ON DELETE CASCADE,
    comment_json TEXT NOT NULL
  ) STRICT;
  CREATE INDEX review_comments_by_trial ON review_comments (trial_id, id);
  CREATE INDEX review_comments_by_thread ON review_comments (reply_to) WHERE reply_to IS NOT NULL;
  `,
] as const;

/** What of a run is not told by its trials. */
export type RunRecord = Omit<RunSummary, 'trialCounts' | 'meanReward' | 'usage' | 'cost'>;

/** A trial as it is planned, with what must be equal for its verdict to stand for another's; null when nothing can. */
export interface NewTrial {
  readonly trial: TrialSummary;
  readonly fingerprint: string | null;
}

/** What of a run is not told by its trials. */
function toRecord(run: RunSummary): RunRecord {
  const { trialCounts: _counts, meanReward: _mean, usage: _usage, cost: _cost, ...record } = run;
  return record;
}

export type NewEvent = Omit<RunEvent, 'runId' | 'seq' | 'at'>;

/**
 * Runs, trials and their journal in coach.sqlite3. Every commit is on the disk when a call returns (synchronous FULL), so
 * a step that is journalled before it is taken is known after any crash.
 */
export class RunStore implements ProofLog {
  /** What people say about trials. */
  readonly reviews: ReviewStore;
  readonly #database: Sqlite;
  readonly #clock: Clock;

  /** @throws CoachError `schema.newer`, `disk.readOnly` */
  constructor(file: string, clock: Clock) {
    this.#database = openDatabase(file, { migrations, synchronous: 'FULL' });
    this.#clock = clock;
    this.reviews = new ReviewStore(this.#database);
  }

  dispose(): void {
    this.#database.close();
  }

  /** `options`: what else was asked for, as JSON, for whoever goes on with the run. Never keys. */
  create(run: RunRecord, trials: readonly NewTrial[], options: string): void {
    const insert = this.#database.transaction(() => {
      this.#database
        .prepare(
          'INSERT INTO runs (id, repository, created_at, state, run_json, options_json) VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(run.id, run.repository, Date.parse(run.createdAt), run.state, JSON.stringify(run), options);
      const statement = this.#database.prepare(
        'INSERT INTO trials (id, run_id, position, trial_json, fingerprint) VALUES (?, ?, ?, ?, ?)',
      );
      trials.forEach(
        ({ trial, fingerprint }, position) =>
          void statement.run(trial.id, run.id, position, JSON.stringify(trial), fingerprint),
      );
    });
    insert.immediate();
  }

  /** What `create` was given; null for a run of an older version. */
  options(runId: string): string | null {
    return (
      this.#database
        .prepare<[string], { options_json: string | null }>('SELECT options_json FROM runs WHERE id = ?')
        .get(runId)?.options_json ?? null
    );
  }

  fingerprint(trialId: string): string | null {
    return (
      this.#database
        .prepare<[string], { fingerprint: string | null }>('SELECT fingerprint FROM trials WHERE id = ?')
        .get(trialId)?.fingerprint ?? null
    );
  }

  /** Trials of any run with this fingerprint, newest first. */
  trialsLike(fingerprint: string): TrialSummary[] {
    return this.#database
      .prepare<[string], { trial_json: string }>(
        'SELECT trial_json FROM trials WHERE fingerprint = ? ORDER BY rowid DESC',
      )
      .all(fingerprint)
      .map(row => TrialSummary.parse(JSON.parse(row.trial_json)));
  }

  /** Trials of a repository that have ended, newest first. */
  endedTrials(repository: string, limit: number): TrialSummary[] {
    return this.#database
      .prepare<[string, number], { trial_json: string }>(
        `SELECT trial_json FROM trials JOIN runs ON runs.id = trials.run_id
         WHERE runs.repository = ? AND trial_json ->> '$.phase' = 'done' ORDER BY trials.rowid DESC LIMIT ?`,
      )
      .all(repository, limit)
      .map(row => TrialSummary.parse(JSON.parse(row.trial_json)));
  }

  /** Writes down a try, or what is new about it. */
  saveTry(value: Try): void {
    this.#database
      .prepare(
        `INSERT INTO tries (trial_id, number, try_json) VALUES (?, ?, ?)
         ON CONFLICT (trial_id, number) DO UPDATE SET try_json = excluded.try_json`,
      )
      .run(value.trialId, value.number, JSON.stringify(value));
  }

  /** The tries of a trial, first to last. */
  tries(trialId: string): Try[] {
    return this.#database
      .prepare<[string], { try_json: string }>('SELECT try_json FROM tries WHERE trial_id = ? ORDER BY number')
      .all(trialId)
      .map(row => Try.parse(JSON.parse(row.try_json)));
  }

  addRegrade(regrade: Regrade): void {
    this.#database
      .prepare(
        `INSERT INTO regrades (trial_id, number, regrade_json)
         SELECT :trialId, coalesce(max(number), 0) + 1, :json FROM regrades WHERE trial_id = :trialId`,
      )
      .run({ trialId: regrade.trialId, json: JSON.stringify(regrade) });
  }

  /** The later verdicts on a trial's change, first to last. */
  regrades(trialId: string): Regrade[] {
    return this.#database
      .prepare<[string], { regrade_json: string }>(
        'SELECT regrade_json FROM regrades WHERE trial_id = ? ORDER BY number',
      )
      .all(trialId)
      .map(row => Regrade.parse(JSON.parse(row.regrade_json)));
  }

  addProof({ directory, digest, proof }: Parameters<ProofLog['addProof']>[0]): void {
    this.#database
      .prepare('INSERT INTO task_proofs (directory, digest, proven_at, proof_json) VALUES (?, ?, ?, ?)')
      .run(directory, digest, Date.parse(proof.provenAt), JSON.stringify(proof));
  }

  /** What validations found of a task with these contents, first to last. */
  proofs(digest: string): TaskProof[] {
    return this.#database
      .prepare<[string], { proof_json: string }>('SELECT proof_json FROM task_proofs WHERE digest = ? ORDER BY id')
      .all(digest)
      .map(row => TaskProof.parse(JSON.parse(row.proof_json)));
  }

  saveRun(run: RunRecord): void {
    this.#database
      .prepare('UPDATE runs SET state = ?, run_json = ? WHERE id = ?')
      .run(run.state, JSON.stringify(run), run.id);
  }

  setState(runId: string, state: RunState, finishedAt: string | null): void {
    const run = this.run(runId);
    if (run !== null) this.saveRun({ ...toRecord(run), state, finishedAt });
  }

  saveFingerprints(trials: readonly NewTrial[]): void {
    const statement = this.#database.prepare('UPDATE trials SET fingerprint = ? WHERE id = ?');
    const save = this.#database.transaction(() => {
      for (const { trial, fingerprint } of trials) statement.run(fingerprint, trial.id);
    });
    save.immediate();
  }

  saveTrial(trial: TrialSummary): void {
    this.#database.prepare('UPDATE trials SET trial_json = ? WHERE id = ?').run(JSON.stringify(trial), trial.id);
  }

  /** Adds lines to a run's journal, all or none; their numbers are the next ones. */
  append(runId: string, events: readonly NewEvent[]): RunEvent[] {
    const add = this.#database.transaction(() => {
      const row = this.#database
        .prepare<[string], { last: number | null }>('SELECT max(seq) AS last FROM run_events WHERE run_id = ?')
        .get(runId);
      const first = (row?.last ?? 0) + 1;
      const at = toIso(this.#clock.now());
      const numbered = events.map((event, index): RunEvent => ({ ...event, runId, seq: first + index, at }));
      const insert = this.#database.prepare('INSERT INTO run_events (run_id, seq, event_json) VALUES (?, ?, ?)');
      for (const event of numbered) insert.run(runId, event.seq, JSON.stringify(event));
      return numbered;
    });
    return add.immediate();
  }

  events(runId: string, after: number, limit: number): RunEvent[] {
    return this.#database
      .prepare<[string, number, number], { event_json: string }>(
        'SELECT event_json FROM run_events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      )
      .all(runId, after, limit)
      .map(row => RunEvent.parse(JSON.parse(row.event_json)));
  }

  run(runId: string): RunSummary | null {
    const row = this.#database
      .prepare<[string], { run_json: string }>('SELECT run_json FROM runs WHERE id = ?')
      .get(runId);
    return row === undefined ? null : this.#summarise(JSON.parse(row.run_json));
  }

  trials(runId: string): TrialSummary[] {
    return this.#database
      .prepare<[string], { trial_json: string }>('SELECT trial_json FROM trials WHERE run_id = ? ORDER BY position')
      .all(runId)
      .map(row => TrialSummary.parse(JSON.parse(row.trial_json)));
  }

  trial(trialId: string): TrialSummary | null {
    const row = this.#database
      .prepare<[string], { trial_json: string }>('SELECT trial_json FROM trials WHERE id = ?')
      .get(trialId);
    return row === undefined ? null : TrialSummary.parse(JSON.parse(row.trial_json));
  }

  /** Of all runs, newest first. */
  ids(): string[] {
    const rows = this.#database.prepare<[], { id: string }>('SELECT id FROM runs ORDER BY created_at DESC, rowid DESC');
    return rows.all().map(({ id }) => id);
  }

  /** Newest first. */
  list(limit: number, repository?: string): RunSummary[] {
    return this.#database
      .prepare<{ repository: string | null; limit: number }, { run_json: string }>(
        `SELECT run_json FROM runs WHERE :repository IS NULL OR repository = :repository
         ORDER BY created_at DESC, rowid DESC LIMIT :limit`,
      )
      .all({ repository: repository ?? null, limit })
      .map(row => this.#summarise(JSON.parse(row.run_json)));
  }

  /** Runs that say that they are running; after a start of the server, those are the ones that its end cut off. */
  running(): RunSummary[] {
    return this.#database
      .prepare<[string], { run_json: string }>('SELECT run_json FROM runs WHERE state = ?')
      .all(RunState.enum.running)
      .map(row => this.#summarise(JSON.parse(row.run_json)));
  }

  #summarise(record: RunRecord): RunSummary {
    const trials = this.trials(record.id);
    return RunSummary.parse({
      ...record,
      trialCounts: {
        total: trials.length,
        done: trials.filter(trial => trial.phase === 'done').length,
        errored: tallyOf(trials).errored,
      },
      meanReward: meanReward(trials.map(trial => trial.reward)),
      usage: sumUsage(trials.map(trial => trial.usage)),
      cost: addCosts(trials.map(trial => trial.cost)),
    });
  }
}

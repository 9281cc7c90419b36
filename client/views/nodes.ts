import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { Exchange, SessionSummary } from '../../protocol/sessions.ts';
import type { Suite } from '../../protocol/suites.ts';
import type { TaskState, TaskSummary } from '../../protocol/tasks.ts';

/** Rows of the trees; commands get them as their argument when they are started from a row. */
export type TaskGroupNode = {
  readonly kind: 'taskGroup';
  readonly state: TaskState;
  readonly tasks: readonly TaskSummary[];
};
/** `suite` is the one whose row this is; a task of the lists by state has none. */
export type TaskNode = { readonly kind: 'task'; readonly task: TaskSummary; readonly suite?: Suite };
export type SuiteGroupNode = { readonly kind: 'suiteGroup'; readonly suites: readonly Suite[] };
export type SuiteNode = { readonly kind: 'suite'; readonly suite: Suite };
/** A name in a suite that is no prepared task. */
export type MissingTaskNode = { readonly kind: 'missingTask'; readonly name: string; readonly suite: Suite };
export type RunNode = { readonly kind: 'run'; readonly run: RunSummary };
/** The trials of one agent in a run. */
export type RunAgentNode = {
  readonly kind: 'runAgent';
  readonly run: RunSummary;
  readonly label: string;
  readonly trials: readonly TrialSummary[];
};
export type TrialNode = { readonly kind: 'trial'; readonly trial: TrialSummary; readonly run: RunSummary };
/** Sessions that were last active on one day, of those loaded so far. */
export type DayNode = { readonly kind: 'day'; readonly day: string; readonly sessions: readonly SessionSummary[] };
export type SessionNode = { readonly kind: 'session'; readonly session: SessionSummary };
export type ExchangeNode = { readonly kind: 'exchange'; readonly exchange: Exchange };
/** Stands for the rows after a page; choosing it loads them. */
export type MoreNode = { readonly kind: 'more' };

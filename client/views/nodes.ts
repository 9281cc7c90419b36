import type { RunSummary, TrialSummary } from '../../protocol/runs.ts';
import type { Exchange, SessionSummary } from '../../protocol/sessions.ts';
import type { TaskSummary } from '../../protocol/tasks.ts';

/** Rows of the trees; commands get them as their argument when they are started from a row. */
export type TaskNode = { readonly kind: 'task'; readonly task: TaskSummary };
export type RunNode = { readonly kind: 'run'; readonly run: RunSummary };
export type TrialNode = { readonly kind: 'trial'; readonly trial: TrialSummary; readonly run: RunSummary };
export type SessionNode = { readonly kind: 'session'; readonly session: SessionSummary };
export type ExchangeNode = { readonly kind: 'exchange'; readonly exchange: Exchange };
/** Stands for the rows after a page; showing it loads them. */
export type MoreNode = { readonly kind: 'more' };

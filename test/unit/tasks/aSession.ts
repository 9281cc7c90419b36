import { join } from 'node:path';
import type { SessionSummary } from '../../../protocol/sessions.ts';
import { noUsage } from '../../../protocol/usage.ts';
import { root } from '../../../scripts/root.ts';
import { EventBus } from '../../../server/base/bus.ts';
import { silentLog } from '../../../server/base/log.ts';
import { coachPaths } from '../../../server/base/paths.ts';
import type { TaskDeps } from '../../../server/tasks/handlers.ts';
import type { SessionSource } from '../../../server/tasks/sessionSource.ts';
import type { CleanSession } from '../../../server/traces/exports/export.ts';
import { aDirectory } from '../git/aRepository.ts';

const at = '2025-06-01T10:00:00.000Z';

/** A recorded session whose person asked for `prompt`. */
export function aCleanSession(prompt: string, id = 'session-1'): CleanSession {
  const message = (text: string) => ({ role: 'user', text, exchange: 'x1' }) as const;
  return {
    format: 1,
    session_id: id,
    agent: 'codex',
    title: prompt,
    repository: null,
    started_at: at,
    ended_at: at,
    models: ['gpt-5.5'],
    messages: [message('<environment_context>cwd</environment_context>'), message(prompt)],
    exchanges: [],
    usage: noUsage,
    cost: { amountUsd: null, kind: 'none' },
  };
}

/** Sessions held in memory. */
export function sessionsOf(...sessions: readonly CleanSession[]): SessionSource {
  const summary = (session: CleanSession): SessionSummary => ({
    id: session.session_id,
    agent: session.agent,
    title: session.title,
    startedAt: at,
    endedAt: at,
    exchanges: 1,
    models: [...session.models],
    usage: noUsage,
    cost: session.cost,
    repository: null,
    source: 'proxy',
  });
  return {
    since: async () => sessions.map(summary),
    startCommit: async () => null,
    isRecorded: async id => sessions.some(session => session.session_id === id),
    clean: async id =>
      sessions.find(session => session.session_id === id) ?? Promise.reject(new Error(`no session ${id}`)),
  };
}

/** What task handlers need, with a COACH_HOME of their own and a clock that moves a second per look. */
export function taskDeps(over: Partial<TaskDeps> = {}): TaskDeps {
  let nowMs = Date.parse(at);
  return {
    paths: coachPaths({ COACH_HOME: aDirectory('coach-home') }),
    bus: new EventBus(),
    clock: { now: () => (nowMs += 1000) },
    log: silentLog,
    sessions: sessionsOf(),
    sample: { source: join(root, 'media', 'sample'), directory: aDirectory('samples') },
    validate: async () => undefined,
    runTests: async () => [],
    ...over,
  };
}

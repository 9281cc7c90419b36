import { realpath } from 'node:fs/promises';
import type { Handlers } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import type { MergedFile, reviews } from '../../../protocol/reviews.ts';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { fileAt } from '../../git/tree.ts';
import type { PreparedTask } from '../../tasks/preparedTask.ts';
import type { SessionSource } from '../../tasks/sessionSource.ts';
import type { RunStore } from '../runs/runStore.ts';
import { withTrialTrees } from '../trials/trialView.ts';
import { changesBetween } from './changes.ts';
import { failuresOf } from './failures.ts';
import { mergeChange } from './mergeChange.ts';
import { withSessionChange } from './sessionChange.ts';

type Names = 'changes' | 'failures' | 'merge' | 'session' | 'sessionFile';

export interface ChangeDeps {
  readonly store: RunStore;
  readonly sessions: SessionSource;
  requireTrial(id: string): TrialSummary;
  taskOf(trial: TrialSummary): Promise<PreparedTask>;
}

/** What a reviewer looks at, and what accepting it would do. None of it writes anything. */
export function changeHandlers({
  store,
  sessions,
  requireTrial,
  taskOf,
}: ChangeDeps): Pick<Handlers<typeof reviews>, Names> {
  return {
    async changes({ trialId, side }, signal) {
      const trial = requireTrial(trialId);
      const task = await taskOf(trial);
      return { files: await withTrialTrees(side, trial, task, (...trees) => changesBetween(...trees, signal), signal) };
    },
    async failures({ trialId }) {
      const trial = requireTrial(trialId);
      return { rows: await failuresOf(trial, await taskOf(trial)) };
    },
    async merge({ trialId, accepted }, signal) {
      const trial = requireTrial(trialId);
      const root = await realpath(store.run(trial.runId)?.repository ?? '');
      const merge = withTrialTrees(
        'agent',
        trial,
        await taskOf(trial),
        async (git, start, end) => {
          const changes = new Map((await changesBetween(git, start, end, signal)).map(file => [file.path, file]));
          const files: MergedFile[] = [];
          for (const { path, hunks } of accepted) {
            const file = changes.get(path);
            if (file === undefined) throw notChanged(path, trialId);
            files.push(await mergeChange(file, hunks, root, git, signal));
          }
          return files;
        },
        signal,
      );
      return { repository: root, files: await merge };
    },
    session: (where, signal) =>
      withSessionChange(
        where,
        sessions,
        async (git, { startTree, endTree, notes }) => ({
          files: await changesBetween(git, startTree, endTree, signal),
          notes: [...notes],
        }),
        signal,
      ),
    sessionFile: ({ side, path, ...where }, signal) =>
      withSessionChange(
        where,
        sessions,
        async (git, { startTree, endTree }) => {
          const content = await fileAt(git, side === 'start' ? startTree : endTree, path, signal);
          return { contentBase64: content?.toString('base64') ?? null };
        },
        signal,
      ),
  };
}

function notChanged(path: string, trialId: string): CoachError {
  return new CoachError('input.invalid', `The agent did not change ${path}.`, {
    hint: `See: codex-coach runs diff ${trialId}`,
  });
}

import { mkdir, mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Handlers } from '../../protocol/api.ts';
import { CoachError } from '../../protocol/errors.ts';
import { type Recording, tasks } from '../../protocol/tasks.ts';
import type { EventBus } from '../base/bus.ts';
import type { Log } from '../base/log.ts';
import { repositoryAt, repositoryState } from '../git/repository.ts';
import { isStashed } from '../git/stash.ts';
import { type CaptureDeps, endRecording, recordedChange, startRecording } from './capture.ts';
import { findTask, listTasks, taskDetail } from './catalogue.ts';
import { edit, editable } from './edit.ts';
import { loadCoachMetadata } from './format.ts';
import { taskFrom } from './from/taskFrom.ts';
import { prepareTask } from './prepare.ts';
import { withPresentState } from './presentState.ts';
import { checkPresentTests, checkReadiness, fixReadiness, type PresentTest, putAsideMessage } from './readiness.ts';
import { loadRecording, removeRecording, toRecording } from './recording.ts';
import { createSampleRepository } from './sampleProject.ts';
import { kindOf, missingTestsNotes } from './taskKind.ts';
import { exportTask } from './transfer/exportTask.ts';
import { importTask } from './transfer/importTask.ts';

export interface TaskDeps extends CaptureDeps {
  readonly bus: EventBus;
  readonly log: Log;
  /** The sample project's history, and the directory below which its repositories are made. */
  readonly sample: { readonly source: string; readonly directory: string };
  /**
   * Proves a prepared task in a sandbox and writes the proof into its directory.
   * @throws CoachError `task.alreadySolved`, `task.referenceFails`, and those of the executor
   */
  readonly validate: (directory: string, how: ValidateRequest, signal: AbortSignal) => Promise<void>;
  /** Runs the tests of a prepared task on its start. @throws CoachError `verifier.failed`, and those of the executor */
  readonly runTests: (directory: string, executor: string, signal: AbortSignal) => Promise<readonly PresentTest[]>;
}

/** How a task is to be proven: see `validate` of the protocol. */
interface ValidateRequest {
  /** Root of the task's repository. */
  readonly root: string;
  readonly executor: string;
  readonly repeats: number;
  readonly judge?: string | undefined;
  readonly votes?: number | undefined;
  readonly keys: Readonly<Record<string, string>>;
}

/** Everything that can be asked of tasks. All state lies in the repositories themselves. */
export function taskHandlers(deps: TaskDeps): Handlers<typeof tasks> {
  const rootOf = async (directory: string, signal: AbortSignal) => (await repositoryAt(directory, signal)).root;
  const changed = (repository: string) => deps.bus.publish(tasks, 'changed', { repository });
  const recordingChanged = (repository: string, recording: Recording | null) =>
    deps.bus.publish(tasks, 'recordingChanged', { repository, recording });

  return {
    list: async ({ repository }, signal) => ({ rows: await listTasks(await rootOf(repository, signal)) }),

    show: async ({ repository, task }, signal) => {
      const summary = await findTask(await rootOf(repository, signal), task);
      const { kind, instruction, files, failToPass, passToPass } = await taskDetail(summary, signal);
      return {
        task: summary,
        kind,
        instruction,
        files: [...files],
        failToPass: [...failToPass],
        passToPass: [...passToPass],
      };
    },

    check: async ({ repository, tests, executor }, signal) => {
      const checks = await checkReadiness(repository, signal);
      const canRun = checks.some(({ finding }) => finding.id === 'tests' && finding.severity === 'ok');
      if (tests && canRun) {
        const run = () =>
          withPresentState(repository, deps.paths, task => deps.runTests(task, executor, signal), signal);
        checks.push(await checkPresentTests(run, signal));
      }
      return { ready: checks.every(({ error }) => error === null), findings: checks.map(({ finding }) => finding) };
    },

    fix: async ({ repository, apply }, signal) => ({ actions: await fixReadiness(repository, apply, signal) }),

    start: async (params, signal) => {
      const recording = toRecording(await startRecording(params, deps, signal));
      deps.log.info('recording started', { task: recording.taskId, repository: recording.repository });
      recordingChanged(recording.repository, recording);
      return recording;
    },

    end: async (params, signal) => {
      const directory = await endRecording(params, deps, signal);
      const root = await rootOf(params.repository, signal);
      deps.log.info('task created', { directory });
      recordingChanged(root, null);
      changed(root);
      const task = (await listTasks(root)).find(candidate => candidate.directory === directory);
      if (task === undefined) throw new CoachError('internal', `${directory} is not listed.`);
      return task;
    },

    discard: async ({ repository }, signal) => {
      const root = await rootOf(repository, signal);
      const discarded = await removeRecording(root);
      if (discarded) recordingChanged(root, null);
      return { discarded };
    },

    recording: async ({ repository }, signal) => {
      const recording = await loadRecording(await rootOf(repository, signal));
      return { recording: recording === null ? null : toRecording(recording) };
    },

    recorded: async ({ repository }, signal) => {
      const files = await recordedChange(repository, deps, signal);
      return { files: files.map(file => file.path), notes: missingTestsNotes(files, kindOf(files)) };
    },

    putAside: async ({ repository }, signal) => ({
      waiting: await isStashed(await repositoryAt(repository, signal), putAsideMessage),
    }),

    repository: async ({ repository }, signal) => ({ state: await repositoryState(repository, signal) }),

    sample: async (_, signal) => {
      await mkdir(deps.sample.directory, { recursive: true });
      const repository = join(await mkdtemp(join(deps.sample.directory, 'sample-')), 'sample');
      await createSampleRepository(repository, deps.sample.source, signal);
      return { repository };
    },

    from: async (params, signal) => {
      const { directory, source, notes } = await taskFrom(params, deps, signal);
      const root = await rootOf(params.repository, signal);
      deps.log.info('task created', { directory, source });
      changed(root);
      return { task: await findTask(root, basename(directory)), source, notes: [...notes] };
    },

    edit: async ({ repository, task, part, content }, signal) => {
      const root = await rootOf(repository, signal);
      const before = await findTask(root, task);
      const present = await editable(before, part);
      const isChanged = content !== undefined && content !== present.content;
      const notes = isChanged ? await edit(before, part, content) : [];
      if (isChanged) changed(root);
      const after = await findTask(root, task);
      const lostProof = before.proof !== null && after.proof === null;
      return { task: after, ...(await editable(after, part)), changed: isChanged, lostProof, notes };
    },

    prepare: async ({ repository, task, name, dockerfile }, signal) => {
      const root = await rootOf(repository, signal);
      const directory = await prepareTask({ root, taskId: task, name, dockerfile }, signal);
      deps.log.info('task prepared', { directory });
      changed(root);
      return findTask(root, basename(directory));
    },

    import: async ({ repository, ...spec }, signal) => {
      const root = await rootOf(repository, signal);
      const directory = await importTask(
        { root, ...spec, format: spec.format, name: spec.name, instance: spec.instance },
        deps.clock,
        signal,
      );
      deps.log.info('task imported', { directory });
      changed(root);
      const metadata = await loadCoachMetadata(directory);
      if (metadata.verifier !== 'script') throw new CoachError('internal', `${directory} is not an imported task.`);
      const task = await findTask(root, basename(directory));
      return { task, format: metadata.imported_from, notes: metadata.notes };
    },

    export: async ({ repository, task, format, output }, signal) => {
      const found = await findTask(await rootOf(repository, signal), task);
      if (found.state === 'created') throw notPrepared(task);
      return { output, notes: await exportTask(found.directory, format, output, signal) };
    },

    validate: async ({ repository, task, ...how }, signal) => {
      const root = await rootOf(repository, signal);
      const summary = await findTask(root, task);
      if (summary.state === 'created') {
        throw notPrepared(task);
      }
      if (summary.problem !== null && summary.proof === null) {
        throw new CoachError('task.invalid', summary.problem, { hint: 'Mend the file, or prepare the task again.' });
      }
      await deps.validate(summary.directory, { ...how, root }, signal);
      changed(root);
      return findTask(root, summary.id);
    },
  };
}

function notPrepared(task: string): CoachError {
  return new CoachError('task.invalid', `${task} is not prepared yet.`, {
    hint: `Prepare it first: codex-coach task prepare ${task}`,
  });
}

import { realpath } from 'node:fs/promises';
import type { TaskSummary } from '../../protocol/tasks.ts';
import { agents } from '../agents/index.ts';
import { findTask } from '../tasks/catalogue.ts';
import { directoryNames, preparedDirectory } from '../tasks/places.ts';
import { findSuite } from '../tasks/suites/suites.ts';
import { type Proposal, proposalsAt } from './completion.ts';
import { type TaskFile, taskFileAt } from './fileKind.ts';
import { lastTests, type TrialHistory, trialsOf } from './history.ts';
import { hoverAt } from './hover.ts';
import { keyProblems } from './keyProblems.ts';
import { type Lens, lensesOf, lensesOfSuite } from './lenses.ts';
import { type Link, linksOf } from './links.ts';
import { agentProblems, taskProblems, testProblems } from './nameProblems.ts';
import { type ParsedFile, parseTaskFile } from './parsedFile.ts';
import type { Problem } from './problem.ts';
import { ruleProblems } from './ruleProblems.ts';

/** A task's file is kilobytes; a longer one would keep the server from its other work. */
const maxLength = 1_000_000;
const agentIds = agents.map(({ id }) => id);

/** A text at one moment; all questions about it are answered from one reading. */
export interface TaskText {
  readonly uri: string;
  getText(): string;
}

/** The language of the files of tasks and suites. Offsets are UTF-16 code units. */
export interface TaskFiles {
  problems(text: TaskText): Promise<readonly Problem[]>;
  proposals(text: TaskText, offset: number): Promise<readonly Proposal[]>;
  hover(text: TaskText, offset: number): ReturnType<typeof hoverAt>;
  lenses(text: TaskText): Promise<readonly Lens[]>;
  links(text: TaskText): Promise<readonly Link[]>;
}

/** @param history asked for when something is to be known of earlier trials, and not before */
export function createTaskFiles(history: () => Promise<TrialHistory>): TaskFiles {
  const read = readings();
  const trials = async ({ root, of }: TaskFile) =>
    trialsOf(await history(), await realpath(root).catch(() => root), of.name);
  /** Of a suite, the tasks that it can name. */
  const tasks = async ({ root, of }: TaskFile) => (of.kind === 'suite' ? directoryNames(preparedDirectory(root)) : []);
  return {
    async problems(text) {
      const opened = read(text);
      if (opened === null) return [];
      if (opened.parsed === null) return [tooLarge(text)];
      const { file, parsed } = opened;
      const last = namesTests(parsed) ? await lastTests(await trials(file)) : null;
      return [...problemsOf(parsed), ...testProblems(parsed, last), ...taskProblems(parsed, await tasks(file))];
    },
    async proposals(text, offset) {
      const opened = read(text);
      if (opened?.parsed == null) return [];
      const last = namesTests(opened.parsed) ? await lastTests(await trials(opened.file)) : null;
      return proposalsAt(opened.parsed, offset, {
        ...{ agents: agentIds, tests: last?.ids ?? [], tasks: await tasks(opened.file) },
      });
    },
    hover(text, offset) {
      const parsed = read(text)?.parsed;
      return parsed == null ? null : hoverAt(parsed, offset);
    },
    async lenses(text) {
      const file = taskFileAt(text.uri);
      if (file === null) return [];
      if (file.of.kind === 'suite') {
        const suite = await findSuite(file.root, file.of.name).catch(() => null);
        return suite === null ? [] : lensesOfSuite(suite);
      }
      // What is broken is said where it is broken; a task that is gone has nothing to offer.
      const task: TaskSummary | null = await findTask(file.root, file.of.name).catch(() => null);
      if (task === null) return [];
      const known = await history();
      return lensesOf(task, await trials(file), ({ runId }) => known.run(runId));
    },
    async links(text) {
      const opened = read(text);
      return opened?.parsed == null ? [] : linksOf(opened.parsed, opened.file);
    },
  };
}

/** What a text alone shows. */
export function problemsOf(file: ParsedFile): Problem[] {
  const syntax = file.faults.map(
    ({ span, message }): Problem => ({ span, message, severity: 'error', code: 'syntax', fixes: [] }),
  );
  return [...syntax, ...ruleProblems(file), ...keyProblems(file), ...agentProblems(file, agentIds)];
}

function namesTests({ kind }: ParsedFile): boolean {
  return kind.rules.some(({ json }) => json.properties?.['fail_to_pass'] !== undefined);
}

interface Opened {
  readonly file: TaskFile;
  /** Null where the text is too long. */
  readonly parsed: ParsedFile | null;
}

/** Reads a text once, however many questions are asked about it one after the other. */
function readings(): (text: TaskText) => Opened | null {
  let last: { readonly uri: string; readonly content: string; readonly opened: Opened } | undefined;
  return text => {
    const file = taskFileAt(text.uri);
    if (file === null) return null;
    const content = text.getText();
    // Not by version: another window has versions of its own.
    if (last?.uri === text.uri && last.content === content) return last.opened;
    const opened = { file, parsed: content.length > maxLength ? null : parseTaskFile(file.kind, content) };
    last = { uri: text.uri, content, opened };
    return opened;
  };
}

function tooLarge(text: TaskText): Problem {
  const megabytes = (text.getText().length / 1e6).toFixed(1);
  return {
    ...{ span: { start: 0, end: 0 }, severity: 'warning', code: 'tooLarge', fixes: [] },
    message: `This file has ${megabytes} million characters and is not checked. A task’s file is kilobytes: move what is long to a file of its own.`,
  };
}

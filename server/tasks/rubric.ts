import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseToml, stringify as stringifyToml } from 'smol-toml';
import * as z from 'zod';
import { CoachError } from '../../protocol/errors.ts';
import { Criterion, ScoreWeights } from '../../protocol/rubric.ts';
import { writeFileAtomic } from '../base/files.ts';
import { broken, parseFile, requireFile } from './createdTask.ts';

/** Name of a task's rubric in its directory. */
export const rubricFile = 'rubric.toml';

const maxCriteria = 50;

/** Checks of a proof that a judge decided: they hold for the rubric that it was shown. */
export const judgedReference = 'judged-reference';
export const unrelatedCheck = 'unrelated-change';
export const judgedChecks: readonly string[] = [judgedReference, unrelatedCheck];

/** `rubric.toml`. Keys that are not ours stay in the file and say nothing. */
export const RubricFile = z
  .looseObject({
    format: z.literal(1).describe('Version of this file.'),
    weights: ScoreWeights.refine(({ tests, rubric, diff }) => tests + rubric + diff > 0, 'must not all be 0').describe(
      'Shares of the parts in the reward; their sum is taken for the whole.',
    ),
    criterion: z.array(Criterion).max(maxCriteria).default([]).describe('What a judge decides about the change.'),
  })
  .superRefine(({ weights, criterion: criteria }, context) => {
    for (const [index, { id }] of criteria.entries()) {
      if (criteria.findIndex(other => other.id === id) === index) continue;
      context.addIssue({ code: 'custom', path: ['criterion', index, 'id'], message: `two criteria have the id ${id}` });
    }
    if (weights.rubric > 0 && criteria.length === 0) {
      context.addIssue({
        code: 'custom',
        path: ['weights', 'rubric'],
        message: 'the rubric has a weight and no criterion',
      });
    }
  });

/** What a task's score is made of, beside its tests. */
export interface Rubric {
  readonly weights: ScoreWeights;
  readonly criteria: readonly Criterion[];
}

/** The rubric of a prepared task, or null when it has none. @throws CoachError `task.invalid` naming the field */
export async function loadRubric(directory: string): Promise<Rubric | null> {
  const file = join(directory, rubricFile);
  const isThere = (await lstat(file).catch(() => null)) !== null;
  return isThere ? parseRubric(file, (await requireFile(file)).toString()) : null;
}

/** SHA-256 of a task's rubric as it is now: what a judge said holds for no other. */
export async function rubricDigest(directory: string): Promise<string> {
  return createHash('sha256')
    .update(await requireFile(join(directory, rubricFile)))
    .digest('hex');
}

function parseRubric(file: string, text: string): Rubric {
  let content: unknown;
  try {
    content = parseToml(text);
  } catch (cause) {
    throw broken(file, `it is not TOML (${(cause as Error).message.split('\n')[0]})`, cause);
  }
  const { weights, criterion: criteria } = parseFile(RubricFile, file, content);
  return { weights, criteria };
}

/**
 * Adds a criterion at the end of a task's rubric; what stands there already keeps its every byte. A task without a rubric gets
 * one, in which tests and rubric weigh the same.
 * @throws CoachError `input.invalid` when the id is taken, `task.invalid`
 */
export async function addCriterion(directory: string, criterion: Criterion, hasTests: boolean): Promise<string> {
  const file = join(directory, rubricFile);
  const rubric = await loadRubric(directory);
  if (rubric?.criteria.some(({ id }) => id === criterion.id)) {
    throw new CoachError('input.invalid', `The rubric has a criterion ${criterion.id} already.`, {
      hint: 'Give another one with --id.',
    });
  }
  const before = rubric === null ? newRubric(hasTests) : (await requireFile(file)).toString();
  const separator = before.endsWith('\n') ? '' : '\n';
  const after = `${before}${separator}\n${stringifyToml({ criterion: [criterion] }).trim()}\n`;
  parseRubric(file, after);
  await writeFileAtomic(file, after);
  return file;
}

function newRubric(hasTests: boolean): string {
  const weights = hasTests ? 'tests = 0.5\nrubric = 0.5\n' : 'rubric = 1\n';
  return `# Shares of the parts in the reward, and what a judge decides. See docs/task-format.md.\nformat = 1\n\n[weights]\n${weights}`;
}

import * as z from 'zod';
import { api, event, request } from './api.ts';
import { Criterion } from './rubric.ts';

const Side = z.enum(['start', 'agent', 'reference']);
const Text = z.string().trim().min(1).max(10_000);
const Line = z.coerce.number().int().min(1);
const Id = z.string().min(1);

/** What a person says about a place in a trial's change. */
export const ReviewComment = z.object({
  id: z.string(),
  trialId: z.string(),
  /** Path in the repository. */
  file: z.string(),
  /** 1-based; null is about the whole file. */
  line: z.int().min(1).nullable(),
  /** Last line; the same as `line` for one. */
  endLine: z.int().min(1).nullable(),
  /** Which of the file's versions the line is of. */
  side: Side,
  text: z.string(),
  /** The comment that opened the thread; null for that one itself. */
  replyTo: z.string().nullable(),
  /** Of the thread: replies follow the comment that opened it. */
  resolved: z.boolean(),
  /** The criterion of the task's rubric that it became. */
  criterion: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type ReviewComment = z.infer<typeof ReviewComment>;

export const reviews = api('reviews', {
  add: request({
    summary: 'Comment on a line of a trial’s change, or on a whole file; or reply to a comment.',
    params: z.object({
      trialId: Id,
      text: Text,
      file: z.string().min(1).optional().describe('Path in the repository; not needed for a reply'),
      line: Line.optional().describe('Line of the file, from 1; none is the whole file'),
      endLine: Line.optional().describe('Last line, where it is more than one'),
      side: Side.default('agent').describe('start, agent or reference: whose version of the file'),
      replyTo: z.string().optional().describe('Comment that this one answers'),
    }),
    result: ReviewComment,
    expose: ['webview', 'http', 'cli'],
    positional: ['trialId', 'text'],
  }),
  list: request({
    summary: 'Comments on a trial, by file and line; replies follow what they answer.',
    params: z.object({
      trialId: Id,
      open: z.boolean().default(false).describe('Only those that are not resolved'),
    }),
    result: z.object({ rows: z.array(ReviewComment) }),
    expose: ['webview', 'http', 'cli'],
    readOnly: true,
    positional: ['trialId'],
  }),
  edit: request({
    summary: 'Change the words of a comment.',
    params: z.object({ comment: Id, text: Text }),
    result: ReviewComment,
    expose: ['webview', 'http', 'cli'],
    positional: ['comment', 'text'],
  }),
  resolve: request({
    summary: 'Mark the thread of a comment as resolved, or as open again.',
    params: z.object({ comment: Id, reopen: z.boolean().default(false) }),
    result: ReviewComment,
    expose: ['webview', 'http', 'cli'],
    positional: ['comment'],
  }),
  remove: request({
    summary: 'Delete a comment, with its replies.',
    params: z.object({ comment: Id }),
    result: z.object({ removed: z.int() }),
    expose: ['webview', 'http', 'cli'],
    positional: ['comment'],
  }),
  toCriterion: request({
    summary: 'Make a comment a criterion of its task’s rubric; runs regrade then shows which verdicts flip.',
    params: z.object({
      comment: Id,
      weight: z.coerce.number().positive().max(1000).default(1).describe('Its share beside the other criteria'),
      text: Text.optional().describe('Words of the criterion; default: those of the comment'),
      id: Criterion.shape.id.optional().describe('Name of the criterion; default: from its words'),
    }),
    result: z.object({ comment: ReviewComment, criterion: Criterion, task: z.string(), file: z.string() }),
    expose: ['webview', 'http', 'cli'],
    positional: ['comment'],
  }),
  /** Comments of a trial were added, changed or removed. */
  changed: event(z.object({ trialId: z.string() })),
});

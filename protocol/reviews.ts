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

/** Lines of one version of a file: `count` from the 1-based `line` on; with `count` 0, the place after that line. */
const Lines = z.object({ line: z.int().min(0), count: z.int().min(0) });

/** A place where two versions of a file differ, without any line around it. */
export const Hunk = z.object({ start: Lines, end: Lines });
export type Hunk = z.infer<typeof Hunk>;

/** A file's content by its git blob id, and git's mode: `100644`, `100755`, `120000` (link). */
export const FileVersion = z.object({ blob: z.string(), mode: z.string() });
export type FileVersion = z.infer<typeof FileVersion>;

export const ReviewFile = z.object({
  path: z.string(),
  status: z.enum(['added', 'modified', 'deleted']),
  binary: z.boolean(),
  /** Null when it was not there. A renamed file is a deleted and an added one. */
  start: FileVersion.nullable(),
  end: FileVersion.nullable(),
  /** Of a modified text, top to bottom; other changes are taken as a whole. */
  hunks: z.array(Hunk),
});
export type ReviewFile = z.infer<typeof ReviewFile>;

/** A test that failed in a trial, with the places that its report names, in its order. */
export const TestFailure = z.object({
  test: z.string(),
  message: z.string().nullable(),
  places: z.array(
    z.object({
      path: z.string(),
      line: z.int().min(1),
      /** Where the file lies on this machine when it is a hidden test; null for a file of the agent's tree. */
      file: z.string().nullable(),
    }),
  ),
});
export type TestFailure = z.infer<typeof TestFailure>;

/** In a text: `count` lines after the first `after` ones become `text`. */
export const LineEdit = z.object({ after: z.int().min(0), count: z.int().min(0), text: z.string() });
export type LineEdit = z.infer<typeof LineEdit>;

/** What accepting a change would do to one file of the working tree. Contents are base64 of the exact bytes. */
export const MergedFile = z.object({
  path: z.string(),
  action: z.discriminatedUnion('kind', [
    /** It is there already. */
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('create'), content: z.string() }),
    z.object({ kind: z.literal('delete') }),
    /** `before` is the text that the edits belong to. */
    z.object({ kind: z.literal('edit'), before: z.string(), edits: z.array(LineEdit) }),
    /** Bytes that a text editor would not keep as they are. */
    z.object({ kind: z.literal('replace'), content: z.string() }),
    /** The working tree says otherwise at the same place. `accepted`: what was to come in; null when that is a deletion. */
    z.object({ kind: z.literal('conflict'), accepted: z.string().nullable() }),
    z.object({ kind: z.literal('refused'), reason: z.string() }),
  ]),
  /** Whether the file was changed here since the start, so that the result is nobody's text yet. */
  moved: z.boolean(),
  /** Git's mode that the agent gave it, where that is another than before; an editor can't set it. */
  mode: z.string().nullable(),
});
export type MergedFile = z.infer<typeof MergedFile>;

const Changes = z.object({ files: z.array(ReviewFile) });

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
    result: z.object({
      comment: ReviewComment,
      criterion: Criterion,
      task: z.string(),
      file: z.string(),
      /** Who judges rubrics where nobody is named; null when no judge is set. */
      judge: z.string().nullable(),
    }),
    expose: ['webview', 'http', 'cli'],
    positional: ['comment'],
  }),
  changes: request({
    summary: 'Files and hunks between the start of a trial’s task and its agent’s tree, or the reference solution.',
    params: z.object({ trialId: Id, side: z.enum(['agent', 'reference']).default('agent') }),
    result: Changes,
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  failures: request({
    summary: 'Failed tests of a trial with the lines that their report names.',
    params: z.object({ trialId: Id }),
    result: z.object({ rows: z.array(TestFailure) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  merge: request({
    summary:
      'What accepting parts of a trial’s change would do to the working tree, by a three-way merge. Writes nothing.',
    params: z.object({
      trialId: Id,
      accepted: z
        .array(z.object({ path: z.string().min(1), hunks: z.array(z.int().min(0)).nullable() }))
        .min(1)
        .describe('Files with the indices of their hunks; null is the whole change of the file'),
    }),
    result: z.object({ repository: z.string(), files: z.array(MergedFile) }),
    readOnly: true,
  }),
  session: request({
    summary: 'Files and hunks that a recorded session changed, as far as its start and end are known.',
    params: z.object({ repository: z.string().min(1), sessionId: Id }),
    result: Changes.extend({ notes: z.array(z.string()) }),
    expose: ['webview', 'http'],
    readOnly: true,
  }),
  sessionFile: request({
    summary: 'One file as it was before or after a recorded session.',
    params: z.object({
      repository: z.string().min(1),
      sessionId: Id,
      side: z.enum(['start', 'agent']),
      path: z.string().min(1),
    }),
    result: z.object({ contentBase64: z.string().nullable() }),
    readOnly: true,
  }),
  /** Comments of a trial were added, changed or removed. */
  changed: event(z.object({ trialId: z.string() })),
});

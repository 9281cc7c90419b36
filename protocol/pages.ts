import * as z from 'zod';
import { api, event, request } from './api.ts';
import { TouchedFile } from './sessions.ts';

export const Artifact = z.object({
  /** Relative to the trial's directory. */
  path: z.string(),
  sizeBytes: z.int().nonnegative(),
});
export type Artifact = z.infer<typeof Artifact>;

export const ServerState = z.enum(['idle', 'starting', 'up', 'down']);
export type ServerState = z.infer<typeof ServerState>;

const Done = z.object({ done: z.boolean() });

/** What every page asks of the editor about the background server. */
export const serverLink = api('serverLink', {
  state: request({
    summary: 'Whether the background server answers.',
    params: z.object({}),
    result: z.object({ state: ServerState }),
    expose: ['webview'],
    readOnly: true,
  }),
  restart: request({
    summary: 'Starts the background server again.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  changed: event(z.object({ state: ServerState })),
});

/** What the page of one run asks of the editor around it. */
export const runPage = api('runPage', {
  artifacts: request({
    summary: 'Files that a trial left.',
    params: z.object({ trialId: z.string().min(1) }),
    result: z.object({ rows: z.array(Artifact) }),
    expose: ['webview'],
    readOnly: true,
  }),
  openArtifact: request({
    summary: 'Opens one of the files that `artifacts` named.',
    params: z.object({ trialId: z.string().min(1), path: z.string().min(1) }),
    result: Done,
    expose: ['webview'],
  }),
  reviewDiff: request({
    summary: 'Opens the changes of a trial in the diff editor.',
    params: z.object({ trialId: z.string().min(1) }),
    result: Done,
    expose: ['webview'],
  }),
  openReport: request({
    summary: "Writes the run's report and opens it in the browser.",
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  openSession: request({
    summary: 'Opens the recorded conversation of a trial.',
    params: z.object({ sessionId: z.string().min(1) }),
    result: Done,
    expose: ['webview'],
  }),
  cancel: request({
    summary: 'Asks once, then cancels the run. `done` is false when the person kept it running.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  resume: request({
    summary: 'Asks once, then begins the trials without a verdict again. `done` is false when the person kept them.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  regrade: request({
    summary: 'Asks once, then judges what the trials left anew. `done` is false when the person left it.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  openJudgeSetting: request({
    summary: 'Opens the setting that names the judge of rubrics.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  openComparison: request({
    summary: 'Opens the comparison of the agents of this run.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  tail: request({
    summary: 'The end of a file that a trial writes, such as a log.',
    params: z.object({ trialId: z.string().min(1), path: z.string().min(1) }),
    result: z.object({
      text: z.string(),
      /** Of the whole file; 0 when it is not there yet. */
      sizeBytes: z.int().nonnegative(),
    }),
    expose: ['webview'],
    readOnly: true,
  }),
  /** The person chose a trial outside the page. */
  selected: event(z.object({ trialId: z.string() })),
});

/** What the page of one session asks of the editor around it. */
export const sessionPage = api('sessionPage', {
  openFile: request({
    summary: 'Opens a file that a tool call touched, at the line where it can be found.',
    params: TouchedFile,
    result: Done,
    expose: ['webview'],
  }),
  openText: request({
    summary: 'Opens the whole text of a line in an editor of its own.',
    params: z.object({ line: z.int().min(0) }),
    result: Done,
    expose: ['webview'],
  }),
  openConversation: request({
    summary: 'Opens the whole conversation as a text document.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  export: request({
    summary: 'Asks for a format and a file, then writes the session there. `done` is false when the person left it.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
});

/** What the page that compares agents asks of the editor around it. */
export const comparePage = api('comparePage', {
  openTrial: request({
    summary: 'Opens the run of a trial with the trial selected.',
    params: z.object({ trialId: z.string().min(1) }),
    result: Done,
    expose: ['webview'],
  }),
  chooseRuns: request({
    summary: 'Lets the person choose which runs are compared; the page is then opened for those.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
});

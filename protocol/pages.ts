import * as z from 'zod';
import { api, event, request } from './api.ts';

export const Artifact = z.object({
  /** Relative to the trial's directory. */
  path: z.string(),
  sizeBytes: z.int().nonnegative(),
});
export type Artifact = z.infer<typeof Artifact>;

export const ServerState = z.enum(['idle', 'starting', 'up', 'down']);
export type ServerState = z.infer<typeof ServerState>;

const Done = z.object({ done: z.boolean() });

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
  restartServer: request({
    summary: 'Starts the background server again.',
    params: z.object({}),
    result: Done,
    expose: ['webview'],
  }),
  serverState: request({
    summary: 'Whether the background server answers.',
    params: z.object({}),
    result: z.object({ state: ServerState }),
    expose: ['webview'],
    readOnly: true,
  }),
  serverChanged: event(z.object({ state: ServerState })),
  /** The person chose a trial outside the page. */
  selected: event(z.object({ trialId: z.string() })),
});

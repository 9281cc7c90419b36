import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrialSummary } from '../../../protocol/runs.ts';
import { writeFileAtomic } from '../../base/files.ts';
import { readOnlyError } from '../../base/paths.ts';
import type { ReportFormat } from '../../tasks/testing/reportFormat.ts';
import { toCtrf, toHarborTrial } from '../harbor.ts';
import { answersFile, type JudgeRecording } from '../rubric/recordedAnswers.ts';
import type { VerifyOutcome } from '../verifier/verifyOutcome.ts';
import type { AgentLogs } from './agentPhase.ts';

/** What is kept of each output of an agent, here and in a sandbox that outlives us (executors/shim.mjs). */
const maxLogBytes = 32 * 1024 * 1024;

/** A trial's directory, in the layout of Harbor's trials, with `diff.patch`, `score.json` and `exchanges` of our own. */
export interface TrialFiles {
  readonly directory: string;
  /**
   * Opens `agent/stdout.jsonl` and `agent/stderr.log`, which grow while the agent works.
   * @param goesOn keeps what an earlier server has written, instead of beginning anew
   */
  agentLogs(goesOn: boolean): Promise<AgentLogs>;
  /** `diff.patch` as `writeAgent` left it. */
  readPatch(): Promise<Buffer>;
  /** `diff.patch`, `agent/trajectory.json` (ATIF) and `exchanges`: the sessions in the trace store, one id a line. */
  writeAgent(patch: Buffer, trajectory: object | null, sessionIds: readonly string[]): Promise<void>;
  writeVerifier(run: VerifyOutcome): Promise<void>;
  /** `verifier/judge.json`: what the judge of the rubric answered, to be replayed. */
  writeJudge(recording: JudgeRecording): Promise<void>;
  /** Files of the same kind for one step of the trial, in `steps/<name>`. */
  step(name: string): Promise<TrialFiles>;
  /** Closes the logs, those of the steps too: all that agents printed is in them then. */
  close(): Promise<void>;
  /** `result.json` and `score.json`, once the trial is over. Closes the logs. */
  writeEnd(trial: TrialSummary): Promise<void>;
}

/** Under which name a report is kept, by its format. */
const reportNames: Readonly<Record<ReportFormat, string>> = {
  junit: 'junit.xml',
  pytest: 'junit.xml',
  unittest: 'unittest.txt',
  jest: 'jest.json',
  mocha: 'mocha.json',
  go: 'go-test.jsonl',
  cargo: 'cargo-test.txt',
  tap: 'results.tap',
  ctrf: 'results.ctrf.json',
};

/** In `verifier/` of a trial. */
export const reportName = (format: ReportFormat): string => reportNames[format];

/** @throws CoachError `disk.readOnly`, `disk.full` */
export async function createTrialFiles(directory: string): Promise<TrialFiles> {
  try {
    for (const part of ['agent', 'verifier', 'artifacts']) await mkdir(join(directory, part), { recursive: true });
  } catch (cause) {
    throw readOnlyError(directory, cause);
  }
  const streams: WriteStream[] = [];
  const steps = new Map<string, TrialFiles>();
  const close = async () => {
    const open = streams.splice(0);
    await Promise.all(open.map(stream => new Promise<void>(resolve => stream.end(() => resolve()))));
    for (const step of steps.values()) await step.close();
  };
  const open = async (name: string, goesOn: boolean) => {
    const file = join(directory, 'agent', name);
    const fromBytes = goesOn ? ((await stat(file).catch(() => null))?.size ?? 0) : 0;
    const stream = createWriteStream(file, { flags: goesOn ? 'a' : 'w' });
    // A full disk must not bring down the server; what can't be written shows at the next atomic write.
    stream.on('error', () => undefined);
    streams.push(stream);
    return { fromBytes: Math.min(fromBytes, maxLogBytes), write: boundedWriter(stream, maxLogBytes - fromBytes) };
  };
  return {
    directory,
    async agentLogs(goesOn) {
      const [stdout, stderr] = [await open('stdout.jsonl', goesOn), await open('stderr.log', goesOn)];
      return {
        ...{ stdout: stdout.write, stderr: stderr.write },
        ...{ stdoutFrom: stdout.fromBytes, stderrFrom: stderr.fromBytes },
      };
    },
    readPatch: () => readFile(join(directory, 'diff.patch')),
    async writeAgent(patch, trajectory, sessionIds) {
      await writeFileAtomic(join(directory, 'diff.patch'), patch);
      await writeFileAtomic(join(directory, 'exchanges'), sessionIds.map(id => `${id}\n`).join(''));
      if (trajectory !== null) await writeFileAtomic(join(directory, 'agent', 'trajectory.json'), toJson(trajectory));
    },
    async writeVerifier(run) {
      const verifier = join(directory, 'verifier');
      await writeFileAtomic(join(verifier, 'test-stdout.txt'), run.output);
      const { format, report, scriptFiles = [] } = run;
      if (report !== null && format !== null) await writeFileAtomic(join(verifier, reportNames[format]), report);
      for (const [name, content] of scriptFiles) await writeFileAtomic(join(verifier, name), content);
      if (run.outcomes !== null) await writeFileAtomic(join(verifier, 'ctrf.json'), toJson(toCtrf(run.outcomes)));
    },
    writeJudge: recording => writeFileAtomic(join(directory, 'verifier', answersFile), toJson(recording)),
    async step(name) {
      const own = steps.get(name) ?? (await createTrialFiles(join(directory, 'steps', name)));
      steps.set(name, own);
      return own;
    },
    close,
    async writeEnd(trial) {
      await close();
      const { reward, end, error, tests, steps: parts, usage, cost, diff, score } = trial;
      const parted = { reward, end, error, score, steps: parts, tests, usage, cost, diff };
      await writeFileAtomic(join(directory, 'score.json'), toJson(parted));
      // Last: a trial with a result.json is complete.
      await writeFileAtomic(join(directory, 'result.json'), toJson(toHarborTrial(trial)));
    },
  };
}

/** Writes up to the cap, then a note; makes the caller wait while the disk is behind. */
function boundedWriter(stream: WriteStream, roomBytes: number): (chunk: Buffer) => Promise<void> | undefined {
  let leftBytes = roomBytes;
  let behind: Promise<void> | undefined;
  return chunk => {
    if (leftBytes < 0 || !stream.writable) return undefined;
    const fits = chunk.subarray(0, leftBytes);
    leftBytes -= chunk.length;
    const note = leftBytes < 0 ? `\n[What came after the first ${maxLogBytes / 1024 ** 2} MiB was not kept.]\n` : '';
    if (stream.write(Buffer.concat([fits, Buffer.from(note)]))) return undefined;
    // One for all parts of a chunk that came before the disk could follow.
    behind ??= new Promise(resolve => {
      const done = () => {
        stream.off('drain', done).off('close', done);
        behind = undefined;
        resolve();
      };
      stream.on('drain', done).on('close', done);
    });
    return behind;
  };
}

export function toJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

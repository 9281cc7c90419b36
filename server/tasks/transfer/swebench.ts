import * as z from 'zod';
import { readableIssues } from '../../../protocol/api.ts';
import type { CoachError } from '../../../protocol/errors.ts';
import { commitBundle, type ForeignTask } from './foreignTask.ts';
import { pytestJudge } from './pytestJudge.ts';
import { cannotImport } from './taskFile.ts';

/** JSON-encoded on Hugging Face, a list in other copies. */
const TestIds = z.union([
  z.array(z.string()),
  z.string().transform((text, context): string[] => {
    try {
      return z.array(z.string()).parse(JSON.parse(text));
    } catch {
      context.addIssue({ code: 'custom', message: 'neither a list nor a JSON list of test ids' });
      return z.NEVER;
    }
  }),
]);

/** One row of a SWE-bench dataset, with whatever other columns it has. */
const SweInstance = z.looseObject({
  repo: z.string().regex(/^[^/\s]+\/[^/\s]+$/),
  instance_id: z.string().min(1),
  base_commit: z.string().regex(/^[0-9a-f]{7,64}$/),
  patch: z.string(),
  test_patch: z.string(),
  problem_statement: z.string().min(1),
  FAIL_TO_PASS: TestIds,
  PASS_TO_PASS: TestIds,
  image: z.string().min(1).optional(),
});
export type SweInstance = z.output<typeof SweInstance>;

const SwePrediction = z.looseObject({
  instance_id: z.string().min(1),
  model_name_or_path: z.string().default('unknown'),
  model_patch: z.string().nullable(),
});
type SwePrediction = z.output<typeof SwePrediction>;

/** Rows of a JSONL file, a JSON array, or one JSON object, each with its own text. @throws CoachError `input.invalid` naming the row */
export function readRows(text: string, path: string): { readonly row: unknown; readonly text: string }[] {
  const whole = parsedOrNull(text);
  if (Array.isArray(whole)) return whole.map(row => ({ row, text: JSON.stringify(row) }));
  if (whole !== null) return [{ row: whole, text: text.trim() }];
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), number: index + 1 }));
  return lines
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const row = parsedOrNull(line);
      if (row === null) throw invalid(`${path} line ${number}`, 'it is not JSON');
      return { row, text: line };
    });
}

/** @throws CoachError `input.invalid` */
export function parseInstance(row: unknown, path: string): SweInstance {
  const result = SweInstance.safeParse(row);
  if (result.success) return result.data;
  throw invalid(path, readableIssues(result.error));
}

/**
 * Predictions as JSON lines, as a JSON array, or as an object by instance, as SWE-bench-Live has them.
 * @throws CoachError `input.invalid`
 */
export function parsePredictions(text: string, path: string): SwePrediction[] {
  const whole = parsedOrNull(text);
  const isByInstance = whole !== null && !Array.isArray(whole) && !('instance_id' in (whole as object));
  const rows = isByInstance
    ? Object.entries(whole as object).map(([instance_id, rest]) => ({ instance_id, ...(rest as object) }))
    : readRows(text, path).map(({ row }) => row);
  return rows.map(row => {
    const result = SwePrediction.safeParse(row);
    if (!result.success) throw invalid(path, readableIssues(result.error));
    return result.data;
  });
}

/**
 * A SWE-bench instance as a task. Its repository is not part of it: the start is a commit of the user's repository, or lies
 * in the instance's image.
 * @param isHere whether the user's repository has the base commit
 */
export function toForeignTask(instance: SweInstance, isHere: boolean): ForeignTask {
  const { instance_id, repo, problem_statement, base_commit } = instance;
  const image = isHere ? 'debian:bookworm-slim' : (instance.image ?? imageOf(instance_id));
  return {
    format: 'swe-bench',
    name: instance_id,
    title: instance_id,
    tags: [repo],
    instruction: problem_statement.trim(),
    baseImage: image,
    dockerfile: isHere ? `FROM ${image}\n${unpackStart}` : `FROM ${image}\nWORKDIR ${workdir}\n`,
    context: [],
    workdir,
    start: isHere ? { commit: base_commit } : [],
    tests: [
      { kind: 'file', path: testPatchFile, mode: 0o644, content: Buffer.from(instance.test_patch) },
      { kind: 'file', path: 'expected_ids.json', mode: 0o644, content: Buffer.from(expectedIds(instance)) },
      { kind: 'file', path: 'judge.py', mode: 0o644, content: Buffer.from(pytestJudge) },
      { kind: 'file', path: 'test.sh', mode: 0o755, content: Buffer.from(testScript(instance)) },
    ],
    verifier: { command: 'bash /tests/test.sh', env: {}, timeoutSec: 1800 },
    agentTimeoutSec: null,
    solution: [],
    solveCommand: null,
    solutionPatch: Buffer.from(instance.patch),
    rubrics: [],
    cannotRun: [],
    notes: [
      isHere
        ? 'The start is the base commit of this repository; its dependencies are not those of SWE-bench’s image.'
        : `The repository ${repo} at ${base_commit.slice(0, 12)} is not part of the row; it is taken from the image ${image}.`,
    ],
  };
}

const workdir = '/testbed';

/** Among the tests of an instance: what brings those that decide. */
export const testPatchFile = 'test.patch';
/** How `judge.py` marks the tests of FAIL_TO_PASS in its report. */
export const failToPassSuite = 'fail_to_pass';

const unpackStart = `RUN apt-get update && apt-get install -y --no-install-recommends git python3 python3-pytest && rm -rf /var/lib/apt/lists/*
COPY ${commitBundle} /tmp/${commitBundle}
RUN git clone --quiet /tmp/${commitBundle} ${workdir} && cd ${workdir} && git remote remove origin && rm -rf .git/logs /tmp/${commitBundle}
WORKDIR ${workdir}
`;

function imageOf(instanceId: string): string {
  return `swebench/sweb.eval.x86_64.${instanceId.toLowerCase().replaceAll('__', '_1776_')}:latest`;
}

function expectedIds({ FAIL_TO_PASS, PASS_TO_PASS }: SweInstance): string {
  return `${JSON.stringify({ fail_to_pass: FAIL_TO_PASS, pass_to_pass: PASS_TO_PASS }, null, 2)}\n`;
}

/** The files that the test patch leaves behind: those are what SWE-bench runs. */
export function testFilesOf(testPatch: string): string[] {
  return pathsIn(testPatch).filter(file => file.endsWith('.py'));
}

/** Files that a patch makes or changes. */
function pathsIn(patch: string): string[] {
  return [...new Set([...patch.matchAll(/^\+\+\+ b\/(.+?)\t?$/gm)].map(match => match[1] ?? ''))];
}

function testScript({ test_patch, base_commit }: SweInstance): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const patched = pathsIn(test_patch).map(quoted).join(' ');
  const files = testFilesOf(test_patch).map(quoted).join(' ');
  return `#!/bin/bash
# The tests of the instance (base commit ${base_commit}), judged by the ids that must pass.
mkdir -p /logs/verifier
rm -f /logs/verifier/reward.txt /logs/verifier/reward.json
if [ -f /opt/miniconda3/bin/activate ]; then source /opt/miniconda3/bin/activate testbed; fi
cd ${workdir} || exit 3
for file in ${patched}; do git checkout --quiet HEAD -- "$file" 2>/dev/null || rm -f "$file"; done
git apply --binary --whitespace=nowarn /tests/test.patch || exit 3
python3 -m pytest -rA -p no:cacheprovider ${files} > /logs/verifier/run-tests.txt 2>&1
status=$?
cat /logs/verifier/run-tests.txt
python3 -I /tests/judge.py /tests/expected_ids.json /logs/verifier/run-tests.txt "$status" /logs/verifier
`;
}

function parsedOrNull(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function invalid(path: string, why: string): CoachError {
  return cannotImport(path, why, 'Rows must be those of a SWE-bench dataset or of a predictions file.');
}

import * as z from 'zod';
import { readableIssues } from '../../../protocol/api.ts';
import { CoachError } from '../../../protocol/errors.ts';
import { type FileNode, fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import { readDockerfile, workdirProblem } from './dockerfile.ts';
import type { ForeignTask } from './foreignTask.ts';
import { cannotImport } from './taskFile.ts';

const Criterion = z.looseObject({ id: z.string(), criterion: z.string(), weight: z.number().default(1) });
const TestScript = z.looseObject({ path: z.string().regex(/^(?!\/)(?!.*\.\.)/), content: z.string() });

/** `tb_meta.json` as OneShot Bench writes it. */
const Meta = z.looseObject({
  task_id: z.string().min(1),
  metadata: z.looseObject({ title: z.string().optional(), tags: z.array(z.string()).default([]) }).prefault({}),
  lm: z.looseObject({ instructions: z.string().default('') }).prefault({}),
  evaluation: z
    .looseObject({ rubrics: z.array(Criterion).default([]), test_scripts: z.array(TestScript).default([]) })
    .prefault({}),
});

/** Where only a result of a task is left, it still tells the criteria. */
const Results = z.looseObject({
  task_id: z.string().min(1),
  evaluation: z.looseObject({
    rubrics: z.record(z.string(), z.looseObject({ criterion: z.string(), weight: z.number() })),
  }),
});

/**
 * Reads a task directory of OneShot Bench, created or prepared.
 * @throws CoachError `input.invalid`
 */
export function readOneShot(nodes: readonly TreeNode[], path: string): ForeignTask {
  const { name, title, tags, instructions, rubrics, tests } = readMeta(nodes, path);
  const dockerfile = fileOf(nodes, 'Dockerfile')?.content.toString() ?? '';
  const context = filesUnder(nodes, '').filter(file => !isSealed(file.path));
  const read = readDockerfile(dockerfile, context);
  const workdir = read.workdir ?? '/';
  const written = fileOf(nodes, 'LM_INSTRUCTIONS.md')?.content.toString().trim() ?? '';
  const instruction = written || instructions.trim();
  const patch = fileOf(nodes, 'diff.patch') ?? fileOf(nodes, 'target_diff.patch');
  return {
    format: 'oneshot',
    ...{ name, title, tags, instruction, rubrics, dockerfile, context, workdir },
    baseImage: read.baseImage ?? '',
    start: read.start,
    tests:
      tests.length === 0
        ? []
        : [...tests, { kind: 'file', path: 'test.sh', mode: 0o755, content: Buffer.from(runPytest(tests, workdir)) }],
    verifier: { command: 'bash /tests/test.sh', env: {}, timeoutSec: 600 },
    agentTimeoutSec: null,
    solution: [],
    solveCommand: null,
    solutionPatch: patch?.content ?? null,
    cannotRun: [
      ...(instruction === '' ? ['LM_INSTRUCTIONS.md: there is no instruction, and none in tb_meta.json'] : []),
      ...(read.baseImage === null ? ['Dockerfile: it is missing, or has no FROM'] : []),
      ...(read.baseImage !== null && workdirProblem(workdir) !== null ? [workdirProblem(workdir) ?? ''] : []),
      ...(tests.length === 0 ? ['tb_meta.json evaluation.test_scripts: there is no test, only criteria'] : []),
      ...(fileOf(nodes, 'overrides.json') === null ? [] : ['overrides.json: changes to the repository at the start']),
    ],
    notes: rubrics.length === 0 ? [] : [`Its ${rubrics.length} criteria are kept; the reward is that of its tests.`],
  };
}

function readMeta(nodes: readonly TreeNode[], path: string) {
  const meta = parsed(Meta, nodes, 'tb_meta.json', path);
  if (meta !== null) {
    return {
      name: meta.task_id,
      title: meta.metadata.title ?? meta.task_id,
      tags: meta.metadata.tags,
      instructions: meta.lm.instructions,
      rubrics: meta.evaluation.rubrics.map(({ id, criterion, weight }) => ({ id, criterion, weight })),
      tests: meta.evaluation.test_scripts.map(toTest),
    };
  }
  const results = parsed(Results, nodes, 'evaluation_results.json', path);
  if (results === null) {
    throw new CoachError('input.invalid', `${path} has neither tb_meta.json nor evaluation_results.json.`, {
      hint: 'Give the directory of a OneShot task.',
    });
  }
  const rubrics = Object.entries(results.evaluation.rubrics);
  return {
    name: results.task_id,
    title: results.task_id,
    tags: [],
    instructions: '',
    rubrics: rubrics.map(([id, { criterion, weight }]) => ({ id, criterion, weight })),
    tests: [],
  };
}

function toTest({ path, content }: z.output<typeof TestScript>): FileNode {
  return { kind: 'file', path: `repository/${path}`, mode: 0o644, content: Buffer.from(content) };
}

/** Not part of what agents may see: the build context is the whole directory in OneShot. */
function isSealed(path: string): boolean {
  return /^(?:tb_meta\.json|diff\.patch|target_diff\.patch|agent_diff\.patch|evaluation\/|evaluation_results\.json|test_output\.txt|notes\.md|trace\/|LM_INSTRUCTIONS\.md|Dockerfile)/.test(
    path,
  );
}

/** pytest answers 0 for "all passed", 1 for "some failed"; any other end says nothing about the change. */
function runPytest(tests: readonly FileNode[], workdir: string): string {
  const paths = tests.map(file => `'${file.path.slice('repository/'.length).replaceAll("'", `'\\''`)}'`);
  return `#!/bin/bash
mkdir -p /logs/verifier
rm -f /logs/verifier/reward.txt /logs/verifier/reward.json
cp -R /tests/repository/. ${workdir}/
cd ${workdir} || exit 3
python3 -m pytest -rA ${paths.join(' ')} 2>&1 | tee /logs/verifier/run-tests.txt
status=\${PIPESTATUS[0]}
case "$status" in
  0) grep -Eq '^PASSED ' /logs/verifier/run-tests.txt && echo 1 > /logs/verifier/reward.txt ;;
  1) grep -Eq '^(FAILED|ERROR) ' /logs/verifier/run-tests.txt && echo 0 > /logs/verifier/reward.txt ;;
esac
exit "$status"
`;
}

function parsed<S extends z.ZodType>(
  schema: S,
  nodes: readonly TreeNode[],
  name: string,
  path: string,
): z.output<S> | null {
  const file = fileOf(nodes, name);
  if (file === null) return null;
  const invalid = (why: string) => cannotImport(`${path}/${name}`, why, 'It must be a file of OneShot Bench.');
  let content: unknown;
  try {
    content = JSON.parse(file.content.toString());
  } catch (cause) {
    throw invalid(`it is not JSON (${(cause as Error).message})`);
  }
  const result = schema.safeParse(content);
  if (!result.success) throw invalid(readableIssues(result.error));
  return result.data;
}

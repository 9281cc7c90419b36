import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { type FileNode, fileOf, filesUnder, type TreeNode } from './directoryTree.ts';
import { readDockerfile, workdirProblem } from './dockerfile.ts';
import { type ForeignTask, Unsupported } from './foreignTask.ts';
import { readTaskFile } from './taskFile.ts';

/** `task.yaml` of Terminal-Bench 1, as far as it decides what a task means. */
const TaskYaml = z.looseObject({
  instruction: z.string().min(1),
  category: z.string().nullish(),
  tags: z.array(z.string()).nullish(),
  parser_name: z.string().default('pytest'),
  max_agent_timeout_sec: z.number().positive().default(360),
  max_test_timeout_sec: z.number().positive().default(60),
});

/**
 * Reads a task directory of Terminal-Bench 1.
 * @throws CoachError `input.invalid`, `task.unsupported` naming what sandboxes here don't have
 */
export function readTerminalBench(nodes: readonly TreeNode[], path: string, name: string): ForeignTask {
  const yaml = parseTaskYaml(nodes, path);
  refuseOwnCompose(nodes, path);
  const isSealed = (file: FileNode) =>
    /^(?:tests\/|task\.yaml$|solution\.(?:sh|yaml)$|run-tests\.sh$|docker-compose\.ya?ml$|Dockerfile$)/.test(file.path);
  const context = filesUnder(nodes, '').filter(file => !isSealed(file));
  const dockerfile = fileOf(nodes, 'Dockerfile')?.content.toString() ?? '';
  const read = readDockerfile(dockerfile, context);
  const runTests = fileOf(nodes, 'run-tests.sh');
  const solution = fileOf(nodes, 'solution.sh');
  const workdir = read.workdir ?? '/';
  return {
    format: 'terminal-bench',
    name,
    title: name,
    tags: [...(yaml.tags ?? []), ...(yaml.category ? [yaml.category] : [])],
    instruction: yaml.instruction.trim(),
    baseImage: read.baseImage ?? '',
    dockerfile,
    context,
    workdir,
    start: read.start,
    tests: [
      ...filesUnder(nodes, 'tests').filter(file => !['test.sh', 'run-tests.sh'].includes(file.path)),
      ...(runTests === null ? [] : [{ ...runTests, path: 'run-tests.sh' }]),
      { kind: 'file', path: 'test.sh', mode: 0o755, content: Buffer.from(judgePytest) },
    ],
    verifier: { command: 'bash /tests/test.sh', env: { TEST_DIR: '/tests' }, timeoutSec: yaml.max_test_timeout_sec },
    agentTimeoutSec: yaml.max_agent_timeout_sec,
    solution: solution === null ? [] : [{ ...solution, path: 'solve.sh' }],
    solveCommand: solution === null ? null : 'bash /solution/solve.sh',
    solutionPatch: null,
    rubrics: [],
    cannotRun: [
      ...(yaml.parser_name === 'pytest' ? [] : [`task.yaml parser_name: results as ${yaml.parser_name} can't be read`]),
      ...(read.baseImage === null ? ['Dockerfile: it is missing, or has no FROM'] : []),
      ...(read.baseImage !== null && workdirProblem(workdir) !== null ? [workdirProblem(workdir) ?? ''] : []),
      ...(runTests === null ? ['run-tests.sh is missing'] : []),
      ...(solution === null && fileOf(nodes, 'solution.yaml') !== null
        ? ['solution.yaml: a solution that types into a terminal']
        : []),
    ],
    notes: [
      'The task allows the whole network; sandboxes here reach the model and nothing else.',
      'The tests run in a fresh sandbox with the changed files of the working directory, not in the agent’s.',
    ],
  };
}

function parseTaskYaml(nodes: readonly TreeNode[], path: string): z.output<typeof TaskYaml> {
  const hint = 'It must be the task.yaml of a Terminal-Bench 1 task.';
  return readTaskFile(nodes, path, { name: 'task.yaml', language: 'YAML', parse: parseYaml, schema: TaskYaml, hint });
}

const ownVariable = /^\$\{T_BENCH_\w+\}/;

/** The compose file that every task comes with says nothing but "one container of the Dockerfile"; others say more. */
function refuseOwnCompose(nodes: readonly TreeNode[], path: string): void {
  const found = new Unsupported();
  for (const name of ['docker-compose.yaml', 'docker-compose.yml']) {
    const file = fileOf(nodes, name);
    if (file === null) continue;
    const compose = (parseYaml(file.content.toString()) ?? {}) as Record<string, unknown>;
    for (const key of Object.keys(compose))
      if (!['services', 'version'].includes(key)) found.add(name, `"${key}" of Docker Compose`);
    const services = (compose['services'] ?? {}) as Record<string, Record<string, unknown> | null>;
    for (const [service, settings] of Object.entries(services)) {
      if (service !== 'client')
        found.add(`${name} services.${service}`, 'a service besides the one that agents work in');
      else
        for (const [key, value] of Object.entries(settings ?? {}))
          clientSetting(`${name} services.client.${key}`, key, value, found);
    }
  }
  found.refuse(path);
}

function clientSetting(place: string, key: string, value: unknown, found: Unsupported): void {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  switch (key) {
    case 'image':
    case 'container_name':
    case 'volumes':
      if (values.every(entry => ownVariable.test(String(entry)))) return;
      break;
    case 'build': {
      const build = typeof value === 'string' ? { context: value } : (value as Record<string, unknown>);
      const usual: Readonly<Record<string, string>> = { dockerfile: 'Dockerfile', context: '.' };
      if (Object.entries(build).every(([name, set]) => usual[name] === set)) return;
      break;
    }
    case 'command':
      if (/^(?:sh,-c,)?sleep,? ?infinity$/.test(values.join(','))) return;
      break;
    case 'environment':
      if (values.every(entry => /^TEST_DIR=\$\{T_BENCH_TEST_DIR\}$/.test(String(entry)))) return;
      break;
  }
  found.add(place, `${JSON.stringify(value)} in Docker Compose`);
}

/**
 * Judges as Terminal-Bench's pytest parser: by pytest's own summary of what passed and failed. No summary, no reward;
 * whether that is the change's fault is found out with the reference.
 */
const judgePytest = `#!/bin/bash
mkdir -p /logs/verifier
rm -f /logs/verifier/reward.txt /logs/verifier/reward.json
bash /tests/run-tests.sh > /logs/verifier/run-tests.txt 2>&1
status=$?
cat /logs/verifier/run-tests.txt
summary=$(sed -n '/short test summary info/,$p' /logs/verifier/run-tests.txt)
if ! printf '%s\\n' "$summary" | grep -Eq '^(PASSED|FAILED|ERROR) '; then
  exit "$status"
fi
if [ "$status" -eq 0 ] && ! printf '%s\\n' "$summary" | grep -Eq '^(FAILED|ERROR) '; then
  echo 1 > /logs/verifier/reward.txt
else
  echo 0 > /logs/verifier/reward.txt
fi
`;

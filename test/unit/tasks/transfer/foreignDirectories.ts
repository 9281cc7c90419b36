import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { taskHandlers } from '../../../../server/tasks/handlers.ts';
import { aDirectory, aRepository, write } from '../../git/aRepository.ts';
import { sessionsOf, taskDeps } from '../aSession.ts';

export const signal = new AbortController().signal;

/** Data files of the programs themselves. */
export const fixtures = join(import.meta.dirname, '../../../fixtures/foreign');

/** A repository of a user, and the requests on its tasks. */
export function aTaskHouse(files: Record<string, string> = { 'a.txt': 'one\n' }) {
  const repository = aRepository(files);
  const handlers = taskHandlers(taskDeps({ sessions: sessionsOf() }));
  const importFrom = (path: string, more: { name?: string; instance?: string } = {}) =>
    handlers.import({ repository, path, format: undefined, name: more.name, instance: more.instance }, signal);
  const exportTo = (task: string, format: 'harbor' | 'swe-bench' | 'original', output: string) =>
    handlers.export({ repository, task, format, output }, signal);
  return { repository, handlers, importFrom, exportTo };
}

/** Task.toml of a complete Harbor task, with keys at every level that nobody knows. */
export const harborToml = `schema_version = "1.3"
favourite_colour = "blue" # kept, comment and all

[task]
name = "acme/greeting"
description = "Greets"
keywords = ["greeting"]
reviewer = "someone"

[metadata]
difficulty = "easy"
tags = ["files"]
nested = { of = { any = "shape" } }

[agent]
timeout_sec = 120.0
mood = "calm"

[verifier]
timeout_sec = 60.0
strictness = 3

[verifier.env]
GREETING = "\${GREETING:-hello}"

[environment]
build_timeout_sec = 600.0
cpus = 1
memory_mb = 2048
gpus = 0
mcp_servers = []
shelf = "left"

[solution.env]
WORD = "hello"
`;

/** A complete Harbor directory: scripts, solution, links, an empty directory, odd modes, bytes that are no text. */
export function aHarborTask(over: Record<string, string> = {}): string {
  const directory = join(aDirectory('coach-harbor'), 'greeting');
  write(directory, {
    'task.toml': harborToml,
    'instruction.md': 'Write "hello" to greeting.txt.\r\n',
    'environment/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /app\nCOPY seed/ ./\n',
    'environment/seed/readme.txt': 'Greetings live here.\n',
    'environment/seed/bin/say': '#!/bin/sh\ncat greeting.txt\n',
    'tests/test.sh': `#!/bin/bash
. /tests/lib.sh
if [ "$(bash bin/say)" = "$GREETING" ]; then give 1; else give 0; fi
`,
    'tests/shared/lib.sh': 'give() { echo "$1" > /logs/verifier/reward.txt; }\n',
    'solution/solve.sh': '#!/bin/bash\nset -e\ncat /solution/word.txt > greeting.txt\n',
    'solution/word.txt': 'hello\n',
    'notes/picture.bin': Buffer.from([0, 255, 10, 13, 0]).toString('latin1'),
    ...over,
  });
  symlinkSync('shared/lib.sh', join(directory, 'tests/lib.sh'));
  mkdirSync(join(directory, 'tests/empty'));
  chmodSync(join(directory, 'tests/test.sh'), 0o755);
  chmodSync(join(directory, 'environment/seed/bin/say'), 0o755);
  chmodSync(join(directory, 'solution/word.txt'), 0o600);
  chmodSync(join(directory, 'tests/empty'), 0o700);
  return directory;
}

/**
 * A Harbor task of two steps: the second one's files and `setup.sh` bring a word, and its tests look at the work of both.
 * The first step scores by how far it came, under a name of its own.
 */
export function aSteppedHarborTask(over: Record<string, string> = {}): string {
  const directory = join(aDirectory('coach-harbor'), 'two-steps');
  write(directory, {
    'task.toml': `schema_version = "1.4"
multi_step_reward_strategy = "mean"
[task]
name = "acme/two-steps"
[environment]
workdir = "/app"
[verifier.env]
GREETING = "hello"
[[steps]]
name = "first"
min_reward = { quality = 0.5 }
[steps.agent]
timeout_sec = 60.0
[[steps]]
name = "second"
[steps.verifier]
timeout_sec = 30.0
[steps.verifier.env]
WORD = "world"
`,
    'environment/Dockerfile': 'FROM node:24-bookworm-slim\nWORKDIR /app\nCOPY seed/ ./\n',
    'environment/seed/readme.txt': 'Greetings live here.\n',
    'tests/lib.sh': 'give() { printf \'{"reward": %s, "quality": %s}\' "$1" "$1" > /logs/verifier/reward.json; }\n',
    'tests/test.sh': '#!/bin/bash\n. /tests/lib.sh\ngive 0\n',
    'steps/first/instruction.md': 'Write "hello" to greeting.txt.\n',
    'steps/first/tests/test.sh':
      '#!/bin/bash\n. /tests/lib.sh\ncase "$(cat greeting.txt)" in "$GREETING"*) give 1;; h*) give 0.5;; *) give 0;; esac\n',
    'steps/first/solution/solve.sh': '#!/bin/bash\necho hello > greeting.txt\n',
    'steps/second/instruction.md': 'Append what word.txt says to greeting.txt.\n',
    'steps/second/workdir/setup.sh': '#!/bin/bash\nset -e\ntest -f greeting.txt\ntr a-z A-Z < letters.txt > word.txt\n',
    'steps/second/workdir/letters.txt': 'world\n',
    'steps/second/tests/test.sh':
      '#!/bin/bash\n. /tests/lib.sh\n[ "$(tail -n 1 greeting.txt)" = "$(echo $WORD | tr a-z A-Z)" ] && [ "$(cat letters.txt)" = "$WORD" ] && give 1 || give 0\n',
    'steps/second/solution/solve.sh': '#!/bin/bash\ncat word.txt >> greeting.txt\n',
    ...over,
  });
  return directory;
}

/** A complete task of Terminal-Bench 1, with the compose file that every one of them has. */
export function aTerminalBenchTask(over: Record<string, string> = {}): string {
  const directory = join(aDirectory('coach-tb'), 'hello-file');
  write(directory, {
    'task.yaml':
      'instruction: |-\n  Create hello.txt with hello.\nauthor_name: a\ndifficulty: easy\ncategory: files\ntags:\n  - easy\nparser_name: pytest\nmax_agent_timeout_sec: 180.0\nmax_test_timeout_sec: 30.0\nfavourite: kept\n',
    Dockerfile: 'FROM debian:bookworm-slim\nWORKDIR /app\nCOPY seed.txt .\n',
    'seed.txt': 'seed\n',
    'docker-compose.yaml': `services:
  client:
    build:
      dockerfile: Dockerfile
    image: \${T_BENCH_TASK_DOCKER_CLIENT_IMAGE_NAME}
    container_name: \${T_BENCH_TASK_DOCKER_CLIENT_CONTAINER_NAME}
    command: [ "sh", "-c", "sleep infinity" ]
    environment:
      - TEST_DIR=\${T_BENCH_TEST_DIR}
    volumes:
      - \${T_BENCH_TASK_LOGS_PATH}:\${T_BENCH_CONTAINER_LOGS_PATH}
`,
    'run-tests.sh': `#!/bin/bash
echo "=== short test summary info ==="
if [ "$(cat hello.txt)" = hello ]; then echo "PASSED $TEST_DIR/test_outputs.py::test_hello"; else echo "FAILED $TEST_DIR/test_outputs.py::test_hello"; exit 1; fi
`,
    'solution.sh': '#!/bin/bash\necho hello > hello.txt\n',
    'tests/test_outputs.py': 'def test_hello(): pass\n',
    ...over,
  });
  return directory;
}

/** Everything below a directory, with kind, mode and content, to be compared. */
export function contentOf(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, entry);
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isSymbolicLink()) found[entry] = `link ${readlinkSync(path)}`;
    else if (stat.isDirectory()) found[entry] = `directory ${mode}`;
    else found[entry] = `file ${mode} ${readFileSync(path).toString('base64')}`;
  }
  return found;
}

import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentChoice } from '../../protocol/runs.ts';
import { agents, findAgent } from '../../server/agents/index.ts';
import type { InstalledAgent } from '../../server/agents/install.ts';
import { EventBus } from '../../server/base/bus.ts';
import { systemClock } from '../../server/base/clock.ts';
import { DisposableStack } from '../../server/base/disposable.ts';
import { silentLog } from '../../server/base/log.ts';
import { coachPaths, ensureHome } from '../../server/base/paths.ts';
import { saidIn } from '../../server/bench/rubric/recordedAnswers.ts';
import type { RegradeDeps } from '../../server/bench/runs/regrade.ts';
import { RunService } from '../../server/bench/runs/runService.ts';
import type { RunServiceDeps } from '../../server/bench/runs/runServiceDeps.ts';
import { RunStore } from '../../server/bench/runs/runStore.ts';
import { sumUsage } from '../../server/bench/verifier/score.ts';
import { type Executors, executorsOf } from '../../server/executors/index.ts';
import { createProxy } from '../../server/proxy/captureProxy.ts';
import type { LaunchSpec } from '../../server/proxy/proxy.ts';
import { openReplaySource } from '../../server/proxy/replay/reference.ts';
import { startReplay } from '../../server/proxy/replay/replayServer.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { preparedDirectory } from '../../server/tasks/places.ts';
import { startRecorder } from '../../server/traces/recorder/recorder.ts';
import { TraceStore } from '../../server/traces/store.ts';
import { codexDirectory } from '../require.ts';
import { dockerfile, runGit, temporaryDirectory, writeBundle, writeFiles } from './executorsFixture.ts';

/** A library with one test, before the feature. */
export const startFiles = {
  'package.json': '{ "name": "numbers", "scripts": { "test": "node --test" } }\n',
  'src/add.js': 'exports.add = (a, b) => a + b;\n',
  'test/add.test.js':
    "const test = require('node:test');\nconst assert = require('node:assert');\nconst { add } = require('../src/add.js');\ntest('adds', () => assert.equal(add(1, 2), 3));\n",
};

export const hiddenTest =
  "const test = require('node:test');\nconst assert = require('node:assert');\ntest('takes the middle', () => {\n  const { median } = require('../src/median.js');\n  assert.equal(median([3, 1, 2]), 2);\n});\n";

export const solutionLine = 'exports.median = list => list.toSorted((a, b) => a - b)[list.length >> 1];';

/** A patch that adds one file of one line. */
export function addFilePatch(path: string, line: string): string {
  return `diff --git a/${path} b/${path}\nnew file mode 100644\n--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+${line}\n`;
}

export interface TaskChanges {
  readonly instruction?: string;
  readonly solution?: string;
  readonly start?: Readonly<Record<string, string>>;
  readonly command?: string;
  readonly timeoutSec?: number;
  readonly agentTimeoutSec?: number;
  readonly proven?: boolean;
}

/** Writes a prepared task as `task prepare` would. */
export function writePreparedTask(root: string, name: string, changes: TaskChanges = {}): string {
  const directory = join(preparedDirectory(root), name);
  const command =
    changes.command ??
    'node --test --test-reporter=junit --test-reporter-destination=/logs/verifier/junit.xml test/add.test.js test/median.test.js';
  writeFiles(directory, {
    'task.toml': `schema_version = "1.4"
[task]
name = "local/${name}"
[metadata.codex_coach]
format = 1
title = "Median"
task_id = "${name}"
captured_at = "2026-11-21T00:00:00Z"
start_commit = "0"
files = ["src/median.js", "test/median.test.js"]
workdir = "/app"
test_command = ${JSON.stringify(command)}
result_format = "junit"
result_file = "/logs/verifier/junit.xml"
[agent]
timeout_sec = ${(changes.agentTimeoutSec ?? 1800).toFixed(1)}
[verifier]
timeout_sec = ${(changes.timeoutSec ?? 60).toFixed(1)}
`,
    'instruction.md': `${changes.instruction ?? 'Add a function median to src/median.js.'}\n`,
    'environment/Dockerfile': dockerfile,
    'tests/test.sh': '#!/bin/sh\n',
    'tests/files/test/median.test.js': hiddenTest,
    'tests/files/test/add.test.js': startFiles['test/add.test.js'],
    'tests/expected.json': JSON.stringify({
      format: 1,
      fail_to_pass: changes.proven === false ? [] : ['test/median.test.js > takes the middle'],
      pass_to_pass: changes.proven === false ? [] : ['test/add.test.js > adds'],
      proof: null,
      proven_digest: null,
    }),
    'solution/solve.sh': '#!/bin/sh\n',
    'solution/solution.patch': changes.solution ?? addFilePatch('src/median.js', solutionLine),
  });
  writeBundle(join(directory, 'environment', 'repo.bundle'), changes.start ?? startFiles);
  return directory;
}

/** A user's repository with one prepared task called `median`. */
export function writeRepository(root: string, changes: TaskChanges = {}): void {
  mkdirSync(root, { recursive: true });
  writeFiles(root, startFiles);
  runGit(root, 'init', '--quiet');
  runGit(root, 'add', '--all');
  runGit(root, 'commit', '--quiet', '--message', 'Start');
  writePreparedTask(root, 'median', changes);
}

export interface Bench {
  readonly root: string;
  readonly home: string;
  readonly service: RunService;
  readonly store: RunStore;
  readonly bus: EventBus;
  readonly traces: TraceStore;
  /** What judging a run again needs beside executors and tasks. */
  readonly judging: Pick<RegradeDeps, 'traces' | 'openLaunch' | 'keys' | 'judge' | 'judgePauseMs' | 'findAgent'>;
  run(choices: readonly Partial<AgentChoice>[], more?: Partial<Parameters<RunService['start']>[0]>): Promise<string>;
  dispose(): Promise<void>;
}

export type BenchOptions = Partial<Pick<RunServiceDeps, 'keys' | 'patience' | 'install' | 'judge'>> & {
  /** Where requests to model hosts go instead. */
  readonly overrides?: LaunchSpec['overrides'];
  readonly executors: (home: string) => Executors['all'];
  readonly task?: TaskChanges;
  /** The state of an earlier bench to go on with. */
  readonly home?: string;
};

/** The whole bench with the real proxy and recorder, in temporary directories. */
export async function aBench(options: BenchOptions): Promise<Bench> {
  const directory = temporaryDirectory('bench');
  const root = join(directory.path, 'repository');
  const paths = coachPaths({ COACH_HOME: options.home ?? join(directory.path, 'home') });
  ensureHome(paths);
  chmodSync(paths.home, 0o700);
  writeRepository(root, options.task);
  const owned = new DisposableStack();
  owned.defer(() => directory.dispose());
  const bus = new EventBus();
  const store = owned.add(new RunStore(paths.coachDb, systemClock));
  const recorder = owned.add(
    await startRecorder({ file: paths.tracesDb, workerFile: null, idleSeconds: 120, log: silentLog }),
  );
  const traces = owned.add(new TraceStore(paths.tracesDb));
  const proxy = owned.add(
    createProxy({
      ...{ caDirectory: paths.ca, launchFile: paths.launches, recorder, store: traces },
      ...{ log: silentLog, env: process.env },
    }),
  );
  const judging: Bench['judging'] = {
    findAgent,
    judgePauseMs: 10,
    judge: options.judge ?? (() => ({ judge: '', votes: 3 })),
    keys: options.keys ?? (() => ({ OPENAI_API_KEY: 'sk-test-key-that-is-real-enough' })),
    traces: {
      cost: () => ({ amountUsd: null, kind: 'unpriced' }),
      trajectory: () => null,
      denied: trialId => traces.denialsOfTrial(trialId),
      exchanges: sessionId => saidIn(traces, sessionId),
      recorded(trialId, since) {
        const exchanges = traces.exchangesOfTrial(trialId).filter(({ startedAt }) => startedAt >= since);
        return {
          usage: sumUsage(exchanges.map(({ usage }) => usage)),
          costUsd: 0,
          sessionIds: [...new Set(exchanges.map(({ sessionId }) => sessionId))],
        };
      },
    },
    openLaunch: async spec => {
      await proxy.start(0);
      return proxy.open({ ...spec, overrides: [...spec.overrides, ...(options.overrides ?? [])] });
    },
  };
  const service = owned.add(
    new RunService({
      ...judging,
      store,
      bus,
      clock: systemClock,
      log: silentLog,
      executors: executorsOf(options.executors(paths.home)),
      retryPauseMs: 10,
      workspaces: paths.workspaces,
      install: options.install ?? testCodex,
      startReplay: async reference =>
        startReplay(await openReplaySource(reference, traces, { anyPrompt: true }), silentLog),
      loadTask: (repository, name) => loadPreparedTask(join(preparedDirectory(repository), name)),
      repositoryRoot: async given => given,
      ...(options.patience === undefined ? {} : { patience: options.patience }),
    }),
  );
  return {
    root,
    home: paths.home,
    service,
    store,
    bus,
    traces,
    judging,
    async run(choices, more = {}) {
      const { id } = await service.start({
        repository: root,
        tasks: ['median'],
        agents: choices.map(choice => ({
          id: 'nop',
          model: null,
          label: null,
          command: null,
          replay: null,
          ...choice,
        })),
        attempts: 1,
        limits: { timeoutSec: 120, maxTokens: null },
        executor: 'auto',
        concurrency: 2,
        startConcurrency: 2,
        retries: 2,
        fresh: true,
        unproven: true,
        keys: {},
        ...more,
      });
      return id;
    },
    dispose: () => owned.dispose(),
  };
}

/** The real Codex CLI of the test machine, as if it had been installed. */
export async function testCodex(): Promise<InstalledAgent> {
  const directory = codexDirectory();
  if (directory === null) throw new Error('No Codex CLI for tests.');
  const version = agents.find(agent => agent.id === 'codex')?.package?.version ?? '';
  return { version, directory, program: 'bin/codex' };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { installedTestAgent, type TestAgent } from '../../scripts/agentPrograms.ts';
import { findAgent } from '../../server/agents/index.ts';
import { sumUsage } from '../../server/bench/verifier/score.ts';
import { chatModel, type DialectOptions, geminiModel, messagesModel } from '../fakes/otherDialects.ts';
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import type { BenchSubject } from './benchContract.ts';
import { aBench, type Bench, solutionLine } from './benchFixture.ts';

interface RealAgent {
  readonly id: TestAgent;
  readonly host: string;
  readonly keyName: string;
  /** Its tool that runs a command. */
  readonly tool: string;
  readonly model?: string;
  readonly dialect: (options: DialectOptions) => ReturnType<typeof messagesModel>;
}

const realAgents: readonly RealAgent[] = [
  {
    ...{ id: 'claude', host: 'api.anthropic.com', keyName: 'ANTHROPIC_API_KEY' },
    ...{ tool: 'Bash', dialect: messagesModel },
  },
  {
    ...{ id: 'gemini', host: 'generativelanguage.googleapis.com', keyName: 'GEMINI_API_KEY' },
    ...{ tool: 'run_shell_command', dialect: geminiModel },
  },
  {
    ...{ id: 'qwen', host: 'dashscope.aliyuncs.com', keyName: 'DASHSCOPE_API_KEY' },
    ...{ tool: 'run_shell_command', dialect: chatModel },
  },
  {
    ...{ id: 'opencode', host: 'api.anthropic.com', keyName: 'ANTHROPIC_API_KEY' },
    ...{ tool: 'bash', dialect: messagesModel, model: 'anthropic/claude-sonnet-4-6' },
  },
];

const realKey = 'sk-real-one-of-agents-0123456789';

/**
 * The real programs of other agents, in real sandboxes, on a small task; registered once per executor. What an agent does
 * when its model is gone hardly depends on the sandbox: `deadModel` false leaves it out.
 */
export function agentsContract(subject: BenchSubject, agents: readonly TestAgent[], { deadModel = true } = {}): void {
  describe.each(realAgents.filter(({ id }) => agents.includes(id)))(
    `the real $id in a ${subject.name} sandbox`,
    ({ id, host, keyName, tool, model, dialect }) => {
      const isThere = requireFeature(id);
      let bench: Bench;
      let upstream: FakeUpstream;
      afterEach(async () => {
        await bench.service.dispose();
        expect(subject.leftovers()).toEqual([]);
        await bench.dispose();
        await upstream.dispose();
      });
      const start = async (options: Parameters<typeof startFakeUpstream>[0], more: object = {}) => {
        upstream = await startFakeUpstream(options);
        bench = await aBench({
          executors: subject.executors,
          overrides: [{ host, target: upstream.origin }],
          keys: () => ({ [keyName]: realKey }),
          install: async () => {
            const installed = installedTestAgent(id);
            if (installed === null) throw new Error(`No ${id} for tests.`);
            return installed;
          },
          ...more,
        });
      };

      it.skipIf(!isThere)(
        'solves a task by its own tools, is counted as it counts itself, and does so again from its recording',
        { timeout: 400_000 },
        async () => {
          const command = `git log --all --oneline; mkdir -p src && echo '${solutionLine}' > src/median.js`;
          const call = { tool, input: { command, description: 'Writes the function' } };
          await start({ intercept: dialect({ call, answer: 'All done.' }) });
          const first = await trialOf(bench, await bench.run([{ id, model: model ?? null }]));
          const stderr = readFileSync(join(first.directory, 'agent', 'stderr.log'), 'utf8');
          expect(first, stderr.slice(-2000)).toMatchObject({
            end: 'verified',
            reward: 1,
            error: null,
            agentVersion: expect.any(String),
          });

          // What it did beside its work is quoted, and costs it nothing.
          expect(first.flags).toEqual([
            {
              kind: 'gitArchaeology',
              evidence: command,
              place: expect.stringMatching(/^agent\/stdout\.jsonl:\d+$/),
            },
          ]);

          // What it reports itself, on its own output, is what was recorded.
          const lines = readFileSync(join(first.directory, 'agent', 'stdout.jsonl'), 'utf8').split('\n');
          const events = lines.flatMap(line => findAgent(id).parseLine(line));
          const reported = sumUsage(events.flatMap(({ usage }) => usage ?? []));
          expect(reported.inputTokens).toBeGreaterThan(0);
          const { inputTokens, cachedInputTokens, outputTokens } = reported;
          expect(first.usage).toMatchObject({ inputTokens, cachedInputTokens, outputTokens });
          expect(events).toContainEqual({ kind: 'command', text: command });
          expect(events).toContainEqual({ kind: 'message', text: 'All done.' });

          const asked = upstream.requests.filter(({ method }) => method === 'POST');
          for (const { headers, body } of asked) {
            expect(Object.values(headers).some(value => String(value).includes(realKey))).toBe(true);
            expect(JSON.stringify(body?.['tools'] ?? [])).not.toMatch(
              /web_?search|web_?fetch|code_?execution|url_?context/i,
            );
          }

          await upstream.dispose();
          const again = await bench.run([{ id, model: model ?? null, replay: `session:${first.sessionId}` }]);
          expect(await trialOf(bench, again)).toMatchObject({
            end: 'verified',
            reward: 1,
            error: null,
            usage: first.usage,
          });
        },
      );

      it.runIf(isThere && deadModel)(
        'is stopped while it retries a dead model, with what it waited for',
        { timeout: 400_000 },
        async () => {
          await start({}, { overrides: [{ host, target: 'http://127.0.0.1:9' }], patience: { unreachableMs: 4000 } });
          const trial = await trialOf(bench, await bench.run([{ id, model: model ?? null }]));
          expect(trial).toMatchObject({ end: 'stalled', reward: null, error: { code: 'proxy.upstream' } });
          expect(trial.error?.message).toMatch(
            /^The agent was stopped after \d+ s in which it waited for its model: its last (?:\d+ requests|request) failed \(.*127\.0\.0\.1:9/,
          );
        },
      );
    },
  );
}

async function trialOf(bench: Bench, runId: string) {
  await bench.service.finished(runId);
  const [trial] = bench.store.trials(runId);
  if (trial === undefined) throw new Error('The run has no trial.');
  return trial;
}

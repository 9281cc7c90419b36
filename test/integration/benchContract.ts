import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../server/base/clock.ts';
import { silentLog } from '../../server/base/log.ts';
import { validateTask } from '../../server/bench/validate.ts';
import { type Executors, executorsOf } from '../../server/executors/index.ts';
import { loadPreparedTask } from '../../server/tasks/format.ts';
import { preparedDirectory } from '../../server/tasks/places.ts';
import { type FakeUpstream, startFakeUpstream } from '../fakes/upstream.ts';
import { processesWith } from '../processes.ts';
import { requireFeature } from '../require.ts';
import { aBench, addFilePatch, type Bench, type BenchOptions, solutionLine, startFiles } from './benchFixture.ts';

export interface BenchSubject {
  readonly name: string;
  executors(home: string): Executors['all'];
  /** Containers and the like that are left of a bench. */
  leftovers(): string[];
}

/** Runs with real sandboxes, and where there is one, with the real Codex CLI; registered once per executor. */
export function benchContract(subject: BenchSubject): void {
  describe(`runs in ${subject.name} sandboxes`, () => {
    let bench: Bench;
    let upstream: FakeUpstream | null = null;
    const start = async (options: Omit<BenchOptions, 'executors'> = {}) => {
      bench = await aBench({ executors: subject.executors, ...options });
      return bench;
    };
    afterEach(async () => {
      const workspaces = join(bench.home, 'workspaces');
      await bench.service.dispose();
      const leftNow = () => [...subject.leftovers(), ...readdirSync(workspaces), ...processesWith(workspaces)];
      // The kernel ends a sandbox's processes after bubblewrap's own.
      await vi.waitUntil(() => leftNow().length === 0, { timeout: 5_000 }).catch(() => undefined);
      const left = leftNow();
      await bench.dispose();
      await upstream?.dispose();
      upstream = null;
      expect(left).toEqual([]);
    });
    const rewards = (runId: string) =>
      Object.fromEntries(
        bench.store.trials(runId).map(trial => [`${trial.agentLabel} ${trial.attempt}`, trial.reward]),
      );

    it('gives the reference 1 and doing nothing 0, each time, and saves what a reader needs', async () => {
      await start();
      const runId = await bench.run([{ id: 'oracle' }, { id: 'nop' }], { attempts: 2 });
      const run = await bench.service.finished(runId);
      expect(run).toMatchObject({ state: 'finished', meanReward: 0.5, trialCounts: { total: 4, done: 4, errored: 0 } });
      expect(rewards(runId)).toEqual({ 'oracle 1': 1, 'nop 1': 0, 'oracle 2': 1, 'nop 2': 0 });
      const [oracle] = bench.store.trials(runId);
      const directory = oracle?.directory ?? '';
      expect(readFileSync(join(directory, 'diff.patch'), 'utf8')).toContain(solutionLine);
      expect(JSON.parse(readFileSync(join(directory, 'result.json'), 'utf8'))).toMatchObject({
        verifier_result: { rewards: { reward: 1 } },
        agent_info: { name: 'oracle' },
      });
      for (const file of ['score.json', 'verifier/junit.xml', 'verifier/ctrf.json', 'verifier/test-stdout.txt']) {
        expect(existsSync(join(directory, file)), file).toBe(true);
      }
      expect(JSON.parse(readFileSync(join(run.directory, 'result.json'), 'utf8')).n_total_trials).toBe(4);
    });

    it('gives no verdict on an agent whose program is not in the sandbox', async () => {
      await start();
      const runId = await bench.run([{ id: 'command', command: ['no-such-agent', '--do'] }]);
      await bench.service.finished(runId);
      const [trial] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'agentFailed', reward: null });
      expect(trial?.error?.message).toContain('exit code 127 (a program that is not there)');
      expect(readFileSync(join(trial?.directory ?? '', 'agent', 'stderr.log'), 'utf8')).toContain('no-such-agent');
    });

    it('gives 0 to a change that breaks the tests so that they do not load', async () => {
      await start();
      const runId = await bench.run([
        {
          id: 'command',
          label: 'breaker',
          command: ['sh', '-c', 'mkdir -p src; echo "syntax error(" > src/median.js'],
        },
        { id: 'command', label: 'tester', command: ['sh', '-c', 'rm -r test; mkdir test; echo > test/median.test.js'] },
        { id: 'command', label: 'linker', command: ['sh', '-c', 'rm -r test; ln -s /tmp test'] },
      ]);
      await bench.service.finished(runId);
      expect(rewards(runId)).toEqual({ 'breaker 1': 0, 'tester 1': 0, 'linker 1': 0 });
      expect(bench.store.trials(runId).map(trial => trial.end)).toEqual(['verified', 'verified', 'verified']);
    });

    it('never lets an agent see tests, solution, keys or files of this machine', async () => {
      const canary = 'sk-canary-0123456789abcdefghijkl';
      process.env['COACH_CANARY'] = canary;
      await start({ keys: () => ({ OPENAI_API_KEY: canary }) });
      writeFileSync(join(bench.root, '.env'), `OPENAI_API_KEY=${canary}\n`);
      writeFileSync(join(bench.home, 'auth.json'), JSON.stringify({ OPENAI_API_KEY: canary }));
      const look = `env; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; grep -rIl -e '${canary.slice(0, 9)}''${canary.slice(9)}' -e 'takes the mid''dle' -e 'toSor''ted' /app /home /tmp /opt /logs /tests /etc /run /root ${bench.root} ${bench.home} | sed 's/^/FOUND /'; git log --all --oneline; true`;
      const runId = await bench.run([{ id: 'command', command: ['sh', '-c', look] }]);
      await bench.service.finished(runId);
      delete process.env['COACH_CANARY'];
      const [trial] = bench.store.trials(runId);
      expect(trial?.end).toBe('verified');
      const said = readFileSync(join(trial?.directory ?? '', 'agent', 'stdout.jsonl'), 'utf8');
      expect(said).toContain('OPENAI_BASE_URL=http://127.0.0.1');
      expect(said).toContain('Start');
      expect(said.replaceAll(look, '')).not.toContain(canary);
      expect(said).not.toMatch(/^FOUND/m);
    });

    it('puts the real key in on the way out, and the agent has only a token', async () => {
      upstream = await startFakeUpstream();
      await start({
        overrides: [{ host: 'api.openai.com', target: upstream.origin }],
        keys: () => ({ OPENAI_API_KEY: 'sk-real-one-0123456789' }),
      });
      const ask = `fetch(process.env.OPENAI_BASE_URL + '/responses', { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer ' + process.env.OPENAI_API_KEY }, body: JSON.stringify({ model: 'gpt-5.5', stream: true, input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'SAY hello' }] }] }) }).then(r => r.text()).then(console.log)`;
      const runId = await bench.run([{ id: 'command', command: ['node', '-e', ask] }]);
      await bench.service.finished(runId);
      const [trial] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'verified', usage: { inputTokens: 1000, outputTokens: 50 } });
      expect(upstream.requests[0]?.headers.authorization).toBe('Bearer sk-real-one-0123456789');
      expect(trial?.sessionId).not.toBeNull();
    });

    it.each([
      ['building', 0],
      ['agent', 400],
      ['verifying', 0],
    ] as const)('leaves nothing when it is cancelled while %s', async (phase, waitMs) => {
      const slowTests = 'sleep 60 && true';
      await start(phase === 'verifying' ? { task: { command: slowTests } } : {});
      const reached = new Promise<void>(resolve => {
        bench.bus.subscribe(({ method, payload }) => {
          if (method.endsWith('/progress') && (payload as { phase: string }).phase === phase) resolve();
        });
      });
      const command = phase === 'agent' ? ['sh', '-c', '(setsid sleep 61 &); sleep 61'] : ['true'];
      const runId = await bench.run([{ id: 'command', command }]);
      await reached;
      await new Promise(resolve => setTimeout(resolve, waitMs));
      const from = Date.now();
      const run = await bench.service.cancel(runId);
      expect(Date.now() - from).toBeLessThan(10_000);
      expect(run.state).toBe('cancelled');
      expect(bench.store.trials(runId)[0]).toMatchObject({ end: 'cancelled', reward: null, phase: 'done' });
    });

    it('ends an agent at its time limit and judges what it left', async () => {
      await start();
      const command = ['sh', '-c', `mkdir -p src; echo '${solutionLine}' > src/median.js; sleep 600`];
      const runId = await bench.run([{ id: 'command', command }], { limits: { timeoutSec: 1, maxTokens: null } });
      await bench.service.finished(runId);
      const [trial] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'timedOut', reward: 1 });
      expect(trial?.agentMs).toBeLessThan(10_000);
    });

    it('ends an agent that waits for a person, with its question, and gives no verdict', async () => {
      await start({ patience: { promptMs: 1500 } });
      const command = ['sh', '-c', `echo Starting; printf 'Do you trust the files in this folder? (y/N) '; sleep 600`];
      const runId = await bench.run([{ id: 'command', command }]);
      await bench.service.finished(runId);
      const [trial] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'stalled', reward: null });
      expect(trial?.error?.message).toContain('an answer to "Do you trust the files in this folder? (y/N)"');
      expect(trial?.agentMs).toBeLessThan(10_000);
    });

    it('quotes what an agent did beside its work, with its place, and takes nothing from its reward', async () => {
      await start();
      const script = [
        'git log --all --oneline',
        'ls /tests',
        'git ls-remote https://git.example.com/median.git',
        "echo '// changed' >> test/add.test.js",
        `echo '${solutionLine}' > src/median.js`,
      ].join('; ');
      const runId = await bench.run([{ id: 'command', command: ['sh', '-c', script] }, { id: 'oracle' }]);
      await bench.service.finished(runId);
      const [trial, oracle] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'verified', reward: 1 });
      expect(trial?.flags?.map(({ kind, place }) => [kind, place.replace(/ .*/, '')])).toEqual([
        ['gitArchaeology', 'command'],
        ['outsideRead', 'command'],
        ['networkAttempt', 'command'],
        ['networkAttempt', 'proxy,'],
        ['testEdit', expect.stringMatching(/^diff\.patch:\d+$/)],
      ]);
      expect(trial?.flags?.[3]?.evidence).toBe('git.example.com:443 was refused');
      expect(trial?.flags?.[4]?.evidence).toBe('test/add.test.js: +// changed');
      expect(oracle?.flags).toBeUndefined();
    });

    it('ends an agent that prints without end at its time limit, and goes on answering meanwhile', async () => {
      await start();
      const from = performance.now();
      let longestGapMs = 0;
      let last = from;
      const command = ['sh', '-c', 'yes aaaa & yes aaaa >&2'];
      const runId = await bench.run([{ id: 'command', command }], { limits: { timeoutSec: 3, maxTokens: null } });
      const requests = setInterval(() => {
        bench.store.trials(runId);
        longestGapMs = Math.max(longestGapMs, performance.now() - last);
        last = performance.now();
      }, 20);
      await bench.service.finished(runId);
      clearInterval(requests);
      const [trial] = bench.store.trials(runId);
      expect(trial).toMatchObject({ end: 'timedOut', reward: 0 });
      expect(trial?.agentMs).toBeLessThan(10_000);
      expect(longestGapMs).toBeLessThan(1000);
      const events = bench.store.events(runId, 0, 5000);
      expect(events.length).toBeLessThan(200);
      expect(events.some(event => /^\d+ more lines of the agent/.test(event.text))).toBe(true);
      for (const file of ['stdout.jsonl', 'stderr.log']) {
        const { size } = statSync(join(trial?.directory ?? '', 'agent', file));
        expect(size, file).toBeGreaterThan(0);
        expect(size, file).toBeLessThan(33 * 1024 * 1024);
      }
    });

    it('says that the tests could not be run, and gives no reward, when the verifier is missing', async () => {
      await start({ task: { command: 'no-such-test-runner --all' } });
      const runId = await bench.run([{ id: 'oracle' }], { retries: 0 });
      await bench.service.finished(runId);
      expect(bench.store.trials(runId)[0]).toMatchObject({
        end: 'errored',
        reward: null,
        error: { code: 'verifier.failed' },
      });
    });

    it('gives 0 when the tests hang', async () => {
      await start({ task: { command: 'echo started; sleep 600', timeoutSec: 1 } });
      const runId = await bench.run([{ id: 'oracle' }]);
      await bench.service.finished(runId);
      expect(bench.store.trials(runId)[0]).toMatchObject({ end: 'verified', reward: 0 });
    });

    describe.skipIf(!requireFeature('codex'))('with the real Codex CLI', () => {
      const override = (target: string) => ({ overrides: [{ host: 'api.openai.com', target }] });

      it('lets it solve the task through its own tools, and counts its tokens', async () => {
        upstream = await startFakeUpstream();
        await start({
          ...override(upstream.origin),
          task: { instruction: `Please.\nADD src/median.js ${solutionLine}\nSHELL ls src\nSAY done` },
        });
        const runId = await bench.run([{ id: 'codex' }]);
        await bench.service.finished(runId);
        const [trial] = bench.store.trials(runId);
        expect(trial?.error).toBeNull();
        expect(trial).toMatchObject({ end: 'verified', reward: 1, diff: { files: 1, insertions: 1, deletions: 0 } });
        expect(trial?.usage).toMatchObject({ inputTokens: 3000, outputTokens: 150 });
        const texts = bench.store.events(runId, 0, 1000).map(event => event.text);
        expect(texts.some(text => text.startsWith('command: ') && text.includes('ls src'))).toBe(true);
        expect(texts.some(text => text.startsWith('edit: '))).toBe(true);
        expect(new Set(bench.store.events(runId, 0, 1000).map(event => event.phase))).toEqual(
          new Set([null, 'building', 'agent', 'verifying', 'done']),
        );
      });

      it('gives 0 to a replay with one wrong line, while the reference stays 1', async () => {
        await start();
        const recording = (line: string) => ({
          format: 1,
          source: 'scripted',
          title: 'Median',
          model: 'gpt-5.5',
          prompt: 'Add a function median to src/median.js.',
          steps: [
            {
              expect: [],
              respond: [
                {
                  type: 'custom_tool_call',
                  call_id: 'call_1',
                  name: 'apply_patch',
                  input: `*** Begin Patch\n*** Add File: src/median.js\n+${line}\n*** End Patch\n`,
                },
              ],
              usage: { inputTokens: 100, cachedInputTokens: 0, outputTokens: 10, reasoningTokens: 0 },
            },
            {
              expect: [
                {
                  callId: 'call_1',
                  output:
                    'Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA src/median.js\n',
                },
              ],
              respond: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] }],
              usage: { inputTokens: 200, cachedInputTokens: 0, outputTokens: 5, reasoningTokens: 0 },
            },
          ],
        });
        const file = (name: string, line: string) => {
          const path = join(bench.home, name);
          writeFileSync(path, JSON.stringify(recording(line)));
          return path;
        };
        const wrong = solutionLine.replace('a - b', 'b + a');
        const runId = await bench.run([
          { id: 'codex', label: 'right', replay: file('right.json', solutionLine) },
          { id: 'codex', label: 'wrong', replay: file('wrong.json', wrong.replace('>> 1', '>> 5')) },
          { id: 'oracle' },
        ]);
        await bench.service.finished(runId);
        expect(bench.store.trials(runId).map(trial => trial.error)).toEqual([null, null, null]);
        expect(rewards(runId)).toEqual({ 'right 1': 1, 'wrong 1': 0, 'oracle 1': 1 });
        expect(bench.store.trials(runId)[0]).toMatchObject({ cost: { kind: 'replay', amountUsd: null } });
      });

      it('makes a trial that leaves its recording an error, never a 0', async () => {
        await start();
        const file = join(bench.home, 'other.json');
        const step = {
          expect: [{ callId: 'call_9', output: 'other' }],
          respond: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'x' }] }],
          usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0 },
        };
        writeFileSync(
          file,
          JSON.stringify({ format: 1, source: 'scripted', title: 't', model: 'gpt-5.5', prompt: 'p', steps: [step] }),
        );
        const runId = await bench.run([{ id: 'codex', replay: file }]);
        await bench.service.finished(runId);
        expect(bench.store.trials(runId)[0]).toMatchObject({
          end: 'errored',
          reward: null,
          error: { code: 'replay.mismatch' },
        });
      });

      const streamsForEver = () =>
        startFakeUpstream({
          intercept: (request, response) => {
            if (request.method !== 'POST') return false;
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            response.write(
              `event: response.created\ndata: ${JSON.stringify({ type: 'response.created', response: { id: 'r' } })}\n\n`,
            );
            response.write(
              `event: response.output_item.added\ndata: ${JSON.stringify({ type: 'response.output_item.added', output_index: 0, item: { type: 'message', role: 'assistant', id: 'm', content: [] } })}\n\n`,
            );
            const timer = setInterval(() => {
              response.write(
                `event: response.output_text.delta\ndata: ${JSON.stringify({ type: 'response.output_text.delta', item_id: 'm', output_index: 0, content_index: 0, delta: 'on and on and on '.repeat(20) })}\n\n`,
              );
            }, 50);
            response.on('close', () => clearInterval(timer));
            return true;
          },
        });

      it('ends an agent that streams for ever at its time limit', async () => {
        upstream = await streamsForEver();
        await start(override(upstream.origin));
        const runId = await bench.run([{ id: 'codex' }], { limits: { timeoutSec: 3, maxTokens: null } });
        await bench.service.finished(runId);
        const [trial] = bench.store.trials(runId);
        expect(trial).toMatchObject({ end: 'timedOut', reward: 0 });
        expect(trial?.agentMs).toBeLessThan(13_000);
        await expect.poll(() => upstream?.connections()).toBe(0);
      });

      it('ends an agent that streams for ever at its token limit, before any usage is reported', async () => {
        upstream = await streamsForEver();
        await start(override(upstream.origin));
        const runId = await bench.run([{ id: 'codex' }], { limits: { timeoutSec: 100, maxTokens: 500 } });
        await bench.service.finished(runId);
        const [trial] = bench.store.trials(runId);
        expect(trial).toMatchObject({ end: 'budgetSpent' });
        expect(trial?.agentMs).toBeLessThan(10_000);
      });

      it('gives no reward when its upstream is dead', async () => {
        await start({ ...override('http://127.0.0.1:9'), patience: { unreachableMs: 5000, idleMs: 60_000 } });
        const runId = await bench.run([{ id: 'codex' }]);
        await bench.service.finished(runId);
        const [trial] = bench.store.trials(runId);
        expect(['stalled', 'agentFailed']).toContain(trial?.end);
        expect(trial).toMatchObject({ reward: null, error: { code: 'proxy.upstream' } });
      });
    });

    describe('proving a task', () => {
      const validate = async () => {
        const task = await loadPreparedTask(join(preparedDirectory(bench.root), 'median'));
        const executors = executorsOf(subject.executors(bench.home));
        return validateTask(
          task,
          { executor: 'auto', repeats: 2 },
          { executors, proofs: bench.store, clock: systemClock, log: silentLog },
          new AbortController().signal,
        );
      };

      it('finds out what its tests prove, writes it down, and then lets it run', async () => {
        await start({ task: { proven: false } });
        expect(await validate()).toMatchObject({ reference: 1, noOp: 0, executor: subject.name });
        const task = await loadPreparedTask(join(preparedDirectory(bench.root), 'median'));
        expect(task.proof).toMatchObject({ reference: 1, noOp: 0 });
        expect(task.verifier).toMatchObject({
          failToPass: ['test/median.test.js > takes the middle'],
          passToPass: ['test/add.test.js > adds'],
        });
        const runId = await bench.run([{ id: 'oracle' }], { unproven: false });
        await bench.service.finished(runId);
        expect(bench.store.trials(runId)[0]).toMatchObject({ reward: 1, taskProven: true });
      });

      it('refuses a wrong reference and names the test', async () => {
        await start({
          task: { proven: false, solution: addFilePatch('src/median.js', 'exports.median = list => list[0];') },
        });
        await expect(validate()).rejects.toMatchObject({
          code: 'task.referenceFails',
          message: expect.stringContaining('test/median.test.js > takes the middle'),
        });
      });

      it('refuses a start that is solved already', async () => {
        const start1 = { ...startFiles, 'src/median.js': `${solutionLine}\n` };
        await start({
          task: { proven: false, start: start1, solution: addFilePatch('src/other.js', 'exports.x = 1;') },
        });
        await expect(validate()).rejects.toMatchObject({ code: 'task.alreadySolved' });
      });
    });

    it('refuses before anything is written: no key, unknown agent, two of one label, unproven task', async () => {
      await start({ keys: () => ({}) });
      const { run } = bench;
      await expect(run([{ id: 'codex' }])).rejects.toMatchObject({ code: 'agent.noKey' });
      await expect(run([{ id: 'other' }])).rejects.toMatchObject({ code: 'agent.unknown' });
      await expect(run([{ id: 'nop' }, { id: 'nop' }])).rejects.toMatchObject({ code: 'input.invalid' });
      await expect(run([{ id: 'nop' }], { unproven: false })).rejects.toMatchObject({ code: 'task.unproven' });
      await expect(run([{ id: 'nop' }], { tasks: ['none'] })).rejects.toMatchObject({ code: 'task.missing' });
      await expect(run([{ id: 'nop' }], { executor: 'moon' })).rejects.toMatchObject({ code: 'executor.unknown' });
      expect(existsSync(join(bench.root, '.coach', 'runs'))).toBe(false);
      expect(bench.store.list(10)).toEqual([]);
    });
  });
}

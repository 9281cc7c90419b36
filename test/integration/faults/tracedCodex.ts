import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { expect, onTestFinished } from 'vitest';
import type { ProxyStatus } from '../../../protocol/proxy.ts';
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  type SeenRequest,
  startFakeUpstream,
} from '../../fakes/upstream.ts';
import { temporaryDirectory } from '../../temporary.ts';
import { aWorld, cliProgram, provideCodex, type World } from '../../world.ts';
import { aCodexHome, quietArgs } from '../proxy/realCodex.ts';

/** A background server of the built program, whose model hosts are a fake upstream, and the real Codex to use it. */
export interface CodexWorld {
  readonly home: World;
  readonly upstream: FakeUpstream;
  /** Calls of the model that the upstream has taken, without those that only warm it up. */
  calls(): SeenRequest[];
}

/** `place`: the COACH_HOME; by default a directory of its own. */
export async function aCodexWorld(
  options: FakeUpstreamOptions = {},
  env: NodeJS.ProcessEnv = {},
  place?: string,
): Promise<CodexWorld> {
  const upstream = await startFakeUpstream(options);
  onTestFinished(() => upstream.dispose());
  const upstreams = ['api.openai.com', 'chatgpt.com'].map(host => `${host}=${upstream.origin}`).join(',');
  const home = aWorld({ COACH_UPSTREAMS: upstreams, ...env }, place);
  provideCodex(home);
  return { home, upstream, calls: () => upstream.requests.filter(isCall) };
}

/** Whether a request asks the model for a reply. */
function isCall({ body }: SeenRequest): boolean {
  return body !== null && body['generate'] !== false;
}

export interface CodexTurn {
  readonly pid: number;
  /** Where it works. */
  readonly directory: string;
  readonly done: Promise<CodexOutcome>;
}

export interface CodexOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly threadId: string;
  /** What Codex counted in its thread so far; null when its turn did not complete. */
  readonly usage: Record<string, number> | null;
}

export interface TurnOptions {
  readonly model?: string;
  /** For Codex, before the prompt. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** The thread to go on with, and its CODEX_HOME. */
  readonly resume?: string;
  readonly codexHome?: string;
}

/** One turn of the real Codex, started by `codex-coach`. Its launcher is what is killed at the end of the test. */
export function startTurn({ home }: CodexWorld, prompt: string, options: TurnOptions = {}): CodexTurn {
  const directory = options.directory ?? temporaryDirectory();
  const [exec, ...quiet] = quietArgs.map(arg => (arg === 'gpt-5.5' ? (options.model ?? arg) : arg));
  const resume = options.resume === undefined ? [] : ['resume', options.resume];
  const argv = [cliProgram, exec ?? '', ...quiet, ...(options.args ?? []), ...resume, prompt];
  const codex = { CODEX_HOME: options.codexHome ?? aCodexHome(), CODEX_API_KEY: 'sk-canary-0123456789abcdef' };
  const child = spawn(process.execPath, argv, {
    cwd: directory,
    env: { ...home.env, ...codex, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const done = once(child, 'close').then(([code]) => toOutcome(code as number | null, stdout(), stderr()));
  return { pid: child.pid ?? -1, directory, done };
}

function textOf(stream: Readable): () => string {
  const chunks: string[] = [];
  stream.setEncoding('utf8').on('data', chunk => chunks.push(chunk));
  return () => chunks.join('');
}

function toOutcome(code: number | null, stdout: string, stderr: string): CodexOutcome {
  const events = stdout
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>);
  const find = (type: string) => events.findLast(event => event['type'] === type);
  const usage = (find('turn.completed')?.['usage'] as Record<string, number> | undefined) ?? null;
  return { code, stdout, stderr, threadId: String(find('thread.started')?.['thread_id'] ?? ''), usage };
}

export interface StoredExchange {
  readonly session: string;
  readonly turn: string | null;
  readonly attempt: number;
  readonly transport: string;
  readonly error: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** What the database holds, oldest first, once it was found whole and its totals right. */
export function storedExchanges({ home }: CodexWorld): StoredExchange[] {
  const database = new Database(home.paths.tracesDb, { readonly: true });
  try {
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const [count, total] = ['SELECT count(*) FROM exchanges', 'SELECT sum(exchanges) FROM usage_totals'].map(sql =>
      database.prepare(sql).pluck().get(),
    );
    expect(total ?? 0).toBe(count);
    const sql = `SELECT session_id AS session, turn_id AS turn, attempt, transport, error, input_tokens AS inputTokens,
      output_tokens AS outputTokens FROM exchanges ORDER BY seq`;
    return database.prepare(sql).all() as StoredExchange[];
  } finally {
    database.close();
  }
}

/** Sums of what was stored, under the names that Codex gives them. */
export function sumOfUsage(exchanges: readonly StoredExchange[]): { input_tokens: number; output_tokens: number } {
  const sum = (of: (exchange: StoredExchange) => number | null) =>
    exchanges.reduce((total, exchange) => total + (of(exchange) ?? 0), 0);
  return { input_tokens: sum(({ inputTokens }) => inputTokens), output_tokens: sum(e => e.outputTokens) };
}

/** What a user sees of recording that fails: in `proxy status --json`, and the warnings in the server's log. */
export async function visibleWarnings({
  home,
}: CodexWorld): Promise<{ uncaptured: number; fault: ProxyStatus['recordingFault']; log: string }> {
  const { stdout } = await home.cli(['proxy', 'status', '--json']);
  const log = readdirSync(home.paths.logs)
    .filter(name => name.startsWith('server-'))
    .map(name => readFileSync(join(home.paths.logs, name), 'utf8'))
    .flatMap(text =>
      text.split('\n').filter(line => line.includes('"level":"warn"') || line.includes('"level":"error"')),
    );
  const { uncaptured, recordingFault } = JSON.parse(stdout) as ProxyStatus;
  return { uncaptured, fault: recordingFault, log: log.join('\n') };
}

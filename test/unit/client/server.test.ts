import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import { CoachServer } from '../../../client/server.ts';
import { CoachError } from '../../../protocol/errors.ts';

class Stream extends EventEmitter {
  destroyed = false;
  /** What the server on its other end says of itself. */
  readonly server: Server;
  constructor(server: Server) {
    super();
    this.server = server;
  }
  destroy() {
    this.destroyed = true;
    this.emit('close');
  }
}

interface Server {
  version: string;
  pid: number;
  inUse: boolean;
  settings: Record<string, string>;
  port: number | null;
}

/** How each stream to the server was opened, the clients on them that still live, and what the person sees and has set. */
const world = vi.hoisted(() => ({
  opened: [] as (PromiseWithResolvers<unknown> & { env: NodeJS.ProcessEnv })[],
  clients: new Set<object>(),
  said: [] as string[][],
  done: [] as unknown[][],
  chosen: undefined as string | undefined,
  set: {} as Record<string, unknown>,
  changed: (_name: string) => {},
}));
vi.mock('vscode', () => {
  class Emitter {
    readonly #listeners = new Set<(value: unknown) => void>();
    event = (listener: (value: unknown) => void) => {
      this.#listeners.add(listener);
      return { dispose: () => void this.#listeners.delete(listener) };
    };
    fire = (value: unknown) => this.#listeners.forEach(listen => void listen(value));
    dispose = () => this.#listeners.clear();
  }
  const changes = new Emitter();
  world.changed = changed => changes.fire({ affectsConfiguration: (name: string) => name === `codexCoach.${changed}` });
  const say = async (...words: string[]) => {
    world.said.push(words);
    return words.slice(1).find(button => button === world.chosen);
  };
  return {
    EventEmitter: Emitter,
    extensions: { getExtension: () => undefined },
    l10n: {
      t: (text: string, ...values: string[]) =>
        values.reduce((words, value, at) => words.replace(`{${at}}`, value), text),
    },
    commands: {
      executeCommand: async (...call: unknown[]) => void (call[0] !== 'setContext' && world.done.push(call)),
    },
    env: {},
    window: { showWarningMessage: say, showErrorMessage: say },
    workspace: {
      isTrusted: true,
      getConfiguration: () => ({ inspect: (name: string) => ({ globalValue: world.set[name] }) }),
      onDidChangeConfiguration: changes.event,
    },
  };
});
vi.mock('../../../client/connection.ts', async original => ({
  ...(await original<object>()),
  openServerStream(_place: unknown, _program: string, env: NodeJS.ProcessEnv) {
    const opening = { ...Promise.withResolvers<unknown>(), env };
    world.opened.push(opening);
    return opening.promise;
  },
  processGone: async () => undefined,
  readToken: () => 'token',
}));
vi.mock('vscode-languageclient/node', () => ({
  CloseAction: {},
  ErrorAction: {},
  ResponseError: Error,
  LanguageClient: class {
    readonly #open: () => Promise<{ reader: Stream }>;
    #stream: Stream | undefined;
    constructor(_id: string, _name: string, open: () => Promise<{ reader: Stream }>) {
      this.#open = open;
    }
    onNotification = () => undefined;
    error(message: string, _data: unknown, isShown = true) {
      if (isShown) world.said.push([message]);
    }
    async start() {
      world.clients.add(this);
      this.#stream = (await this.#open()).reader;
      if (!this.#stream.destroyed) return;
      this.error("couldn't create connection to server.", undefined);
      throw new Error('write EPIPE');
    }
    async dispose() {
      world.clients.delete(this);
    }
    async sendRequest(method: string) {
      const stream = this.#stream as Stream;
      const { version, pid, inUse, settings, port } = stream.server;
      if (method === 'coach/server/stop') {
        if (!inUse) setTimeout(() => stream.destroy());
        return { stopping: !inUse };
      }
      if (method === 'coach/proxy/status') return aProxy(port);
      if (method !== 'coach/server/hello') return { method };
      const info = { version, pid, home: '/home', clients: 1, runningTrials: 0, log: '/log', settings };
      return { ...info, startedAt: '2026-11-21T12:00:00.000Z' };
    }
  },
}));

function aProxy(port: number | null) {
  const files = { caFile: '', bundleFile: '' };
  const counts = { exchanges: 0, openConnections: 0, uncaptured: 0 };
  return { state: 'listening', host: '127.0.0.1', port, ...files, ...counts, error: null };
}
function aServer() {
  const log = { info() {}, warn() {}, error() {} } as unknown as vscode.LogOutputChannel;
  const place = { home: '/home', endpoint: '/home/socket', outputFile: '/home/out' };
  const server = new CoachServer({ place, program: 'server.cjs', version: '1.0.0', log });
  onTestFinished(() => server.dispose());
  return server;
}
const settled = () => new Promise(resolve => setTimeout(resolve, 10));
function open(at: number, server: Partial<Server> = {}): Stream {
  const whole = { version: '1.0.0', pid: at + 1, inUse: false, settings: {}, port: null, ...server };
  const stream = new Stream(whole);
  world.opened[at]?.resolve(stream);
  return stream;
}
/** As a server tells what it was started with. */
const prints = (given: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, createHash('sha256').update(value).digest('hex').slice(0, 16)]),
  );

beforeEach(() => {
  world.opened.length = 0;
  world.clients.clear();
  world.said.length = 0;
  world.done.length = 0;
  world.chosen = undefined;
  world.set = {};
});

it('connects once for all who ask at the same time', async () => {
  const server = aServer();
  const asked = [server.channel.request('tasks/list', {}), server.channel.request('runs/list', {})];
  open(0);
  expect(await Promise.all(asked)).toEqual([{ method: 'tasks/list' }, { method: 'runs/list' }]);
  expect([world.opened.length, world.clients.size, server.state]).toEqual([1, 1, 'up']);
});

it('starts no server for what is asked after its end', async () => {
  const server = aServer();
  server.dispose();
  await expect(server.channel.request('proxy/close', {})).rejects.toMatchObject({ code: 'server.unreachable' });
  expect(world.opened).toHaveLength(0);
});

it('closes a connection that comes about after its end', async () => {
  const server = aServer();
  void server.connect().catch(() => undefined);
  server.dispose();
  open(0);
  await settled();
  expect([world.clients.size, world.opened.length]).toEqual([0, 1]);
});

it('keeps the one connection that was made while an earlier one failed', async () => {
  const server = aServer();
  void server.connect().catch(() => undefined);
  const restarted = server.restart();
  const asked = server.channel.request('tasks/list', {});
  open(1);
  await asked;
  world.opened[0]?.reject(new CoachError('server.unreachable', 'It did not answer.'));
  await restarted;
  await server.channel.request('runs/list', {});
  expect([world.opened.length, world.clients.size, server.state]).toEqual([2, 1, 'up']);
});

it('leaves what can’t be told untold', async () => {
  const unhandled = vi.fn();
  process.once('unhandledRejection', unhandled);
  const server = aServer();
  const connected = server.connect();
  world.opened[0]?.reject(new CoachError('server.unreachable', 'It did not answer.'));
  await expect(connected).rejects.toThrow();
  server.channel.notify('ticked', {});
  await settled();
  process.off('unhandledRejection', unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it('shows nothing of the library’s own when the server dies while a window connects', async () => {
  const connected = aServer().connect();
  open(0).destroyed = true;
  await settled();
  open(1);
  await connected;
  expect(world.said).toEqual([]);
});

describe('a restart', () => {
  it('ends the server and starts another with the settings of now; what is asked meanwhile waits for it', async () => {
    const server = aServer();
    const connected = server.connect();
    const first = open(0);
    await connected;
    world.set = { 'budget.dayTokens': 1000 };
    const restarted = server.restart();
    const asked = server.channel.request('tasks/list', {});
    await settled();
    expect([first.destroyed, world.opened.length]).toEqual([true, 2]);
    expect(world.opened[1]?.env['COACH_BUDGET_DAY_TOKENS']).toBe('1000');
    open(1, { settings: prints({ COACH_BUDGET_DAY_TOKENS: '1000' }) });
    expect(await restarted).toBe(true);
    await asked;
    expect([world.clients.size, server.state, world.said]).toEqual([1, 'up', []]);
  });

  it('says that it is none while the server is in use', async () => {
    const server = aServer();
    const connected = server.connect();
    open(0, { inUse: true });
    await connected;
    const restarted = server.restart();
    await settled();
    open(1);
    expect([await restarted, server.state]).toEqual([false, 'up']);
  });
});

describe('settings that the running server was not started with', () => {
  const launch = 'coach/proxy/launch';
  async function connectedTo(started: Partial<Server>) {
    const server = aServer();
    const connected = server.connect();
    open(0, started);
    await connected;
    return server;
  }

  it('are told with the way to let them hold, and let no agent start', async () => {
    world.set = { 'budget.dayTokens': 1000 };
    const server = await connectedTo({ settings: prints({ COACH_BUDGET_DAY_TOKENS: '50' }) });
    await settled();
    const words = 'The background server was not started with this codexCoach.budget.dayTokens, which has no effect.';
    expect(world.said).toEqual([[words, 'Restart Background Server']]);
    for (const method of [launch, 'coach/runs/start', 'coach/runs/resume']) {
      await expect(server.channel.request(method, {})).rejects.toMatchObject({
        code: 'input.invalid',
        message: words,
        hint: expect.stringContaining('codex-coach server stop'),
      });
    }
    await server.channel.request('coach/sessions/list', {});
  });

  it('are told when they change, also back to their defaults', async () => {
    world.set = { 'budget.dayTokens': 50 };
    const server = await connectedTo({ settings: prints({ COACH_BUDGET_DAY_TOKENS: '50' }) });
    await server.channel.request(launch, {});
    expect(world.said).toEqual([]);
    world.set = {};
    world.chosen = 'Restart Background Server';
    world.changed('budget.dayTokens');
    await settled();
    expect(world.said).toHaveLength(1);
    expect(world.done).toEqual([['codexCoach.restartServer']]);
    world.changed('terminal.record');
    await settled();
    expect(world.said).toHaveLength(1);
  });

  it('only are told where no agent is harmed', async () => {
    world.set = { 'traces.keepDays': 7 };
    const server = await connectedTo({ settings: prints({ COACH_KEEP_DAYS: '0' }) });
    await settled();
    expect(world.said).toMatchObject([[expect.stringContaining('codexCoach.traces.keepDays'), expect.any(String)]]);
    await server.channel.request(launch, {});
  });

  it('are no others where they are the defaults', async () => {
    world.set = { 'budget.dayTokens': 0, 'proxy.port': 18_080 };
    await (await connectedTo({ port: 18_080 })).channel.request(launch, {});
    expect(world.said).toEqual([]);
  });

  it('do not hold for a port on which the proxy can’t be', async () => {
    world.set = { 'proxy.port': 19_000 };
    const server = await connectedTo({ settings: prints({ PROXY_PORT: '19000' }), port: 18_080 });
    await expect(server.channel.request(launch, {})).rejects.toMatchObject({
      message: expect.stringContaining('not on port 19000'),
    });
  });
});

describe('a setting that keeps the server from starting', () => {
  const reason = "The background server can't start: COACH_BUDGET_DAY_TOKENS=-5 is not usable.";

  it('is named as the editor has it, once, and mended by its change', async () => {
    world.set = { 'budget.dayTokens': -5 };
    world.chosen = 'Open Settings';
    const server = aServer();
    const connected = server.connect();
    world.opened[0]?.reject(new CoachError('server.unreachable', reason));
    const message = reason.replace('COACH_BUDGET_DAY_TOKENS', 'codexCoach.budget.dayTokens');
    await expect(connected).rejects.toMatchObject({ message });
    await expect(server.channel.request('tasks/list', {})).rejects.toMatchObject({ message });
    expect(world.said).toEqual([[message, 'Open Settings']]);
    expect(server.isToldWhyDown, 'it was answered').toBe(false);
    expect(world.done).toEqual([['workbench.action.openSettings', 'codexCoach.budget.dayTokens']]);
    world.set = {};
    world.changed('budget.dayTokens');
    await settled();
    open(1);
    await settled();
    expect([world.opened.length, server.state]).toEqual([2, 'up']);
  });

  it('keeps the name of a variable that is not the editor’s', async () => {
    const connected = aServer().connect();
    world.opened[0]?.reject(new CoachError('server.unreachable', reason));
    await expect(connected).rejects.toMatchObject({ message: reason });
    expect(world.said).toEqual([]);
  });
});

describe('an older server', () => {
  it('is replaced again when another window brought it back', async () => {
    const server = aServer();
    const connected = server.connect();
    const versions = ['0.0.9', '0.0.9', '0.0.9', '0.0.9', '0.0.9', '1.0.0'];
    for (const [at, version] of versions.entries()) {
      open(at, { version });
      await settled();
    }
    expect((await connected).info.version).toBe('1.0.0');
    expect([world.opened.length, world.clients.size, server.state, world.said]).toEqual([6, 1, 'up', []]);
  });

  it('that is in use stays, is told, and is replaced when it is free', async () => {
    const server = aServer();
    const connected = server.connect();
    const old = open(0, { version: '0.0.9', inUse: true });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    await connected;
    await vi.waitFor(() => expect(server.state).toBe('up'));
    expect(world.said).toEqual([
      [
        'An older background server (0.0.9) is still used by running agents or trials. It is replaced when they are done.',
      ],
    ]);
    vi.advanceTimersByTime(60_000);
    await settled();
    expect(world.opened).toHaveLength(1);
    old.server.inUse = false;
    vi.advanceTimersByTime(60_000);
    await settled();
    open(1);
    await settled();
    expect([(await server.connect()).info.version, world.said.length]).toEqual(['1.0.0', 1]);
  });
});

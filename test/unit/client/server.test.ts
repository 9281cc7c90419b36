import { EventEmitter } from 'node:events';
import { beforeEach, expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import { CoachServer } from '../../../client/server.ts';
import { CoachError } from '../../../protocol/errors.ts';

class Stream extends EventEmitter {
  destroyed = false;
  destroy() {
    this.destroyed = true;
    this.emit('close');
  }
}
/** How each stream to the server was opened, and the clients on them that still live. */
const world = vi.hoisted(() => ({
  opened: [] as PromiseWithResolvers<unknown>[],
  clients: new Set<object>(),
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
  return {
    EventEmitter: Emitter,
    l10n: { t: (text: string) => text },
    commands: { executeCommand: async () => undefined },
    workspace: { isTrusted: true, getConfiguration: () => ({ inspect: () => undefined }) },
  };
});
vi.mock('../../../client/connection.ts', () => ({
  openServerStream() {
    const opening = Promise.withResolvers<unknown>();
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
    onNotification = () => undefined;
    async start() {
      world.clients.add(this);
    }
    async dispose() {
      world.clients.delete(this);
    }
    async sendRequest(method: string) {
      if (method !== 'coach/server/hello') return { method };
      const info = { version: '1.0.0', pid: 1, home: '/home', clients: 1, runningTrials: 0, log: '/log' };
      return { ...info, startedAt: '2026-11-21T12:00:00.000Z' };
    }
  },
}));

function aServer() {
  const log = { info() {}, warn() {}, error() {} } as unknown as vscode.LogOutputChannel;
  const place = { home: '/home', endpoint: '/home/socket', outputFile: '/home/out' };
  return new CoachServer({ place, program: 'server.cjs', version: '1.0.0', log });
}
const settled = () => new Promise(resolve => setTimeout(resolve, 10));
const open = (at: number) => world.opened[at]?.resolve(new Stream());

beforeEach(() => {
  world.opened.length = 0;
  world.clients.clear();
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

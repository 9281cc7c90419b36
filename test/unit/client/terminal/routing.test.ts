import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as vscode from 'vscode';
import type { Coach } from '../../../../client/coach.ts';
import { routeTerminals } from '../../../../client/terminal/routing.ts';

const editor = vi.hoisted(() => ({
  record: new Set<string>(),
  isTrusted: true,
  folders: [] as object[],
  changed: (_event: object): void => undefined,
  terminals: [] as object[],
  closed: (_terminal: object): void => undefined,
}));
vi.mock('vscode', () => {
  const subscription = () => ({ dispose: () => undefined });
  return {
    l10n: { t: (text: string) => text },
    Disposable: {
      from: (...all: { dispose(): unknown }[]) => ({ dispose: () => all.forEach(one => void one.dispose()) }),
    },
    window: {
      get terminals() {
        return editor.terminals;
      },
      onDidCloseTerminal: (listener: typeof editor.closed) => {
        editor.closed = listener;
        return subscription();
      },
    },
    workspace: {
      get isTrusted() {
        return editor.isTrusted;
      },
      get workspaceFolders() {
        return editor.folders;
      },
      getConfiguration: (_: string, scope: { fsPath: string }) => ({ get: () => editor.record.has(scope.fsPath) }),
      onDidChangeConfiguration: (listener: typeof editor.changed) => {
        editor.changed = listener;
        return subscription();
      },
      onDidChangeWorkspaceFolders: subscription,
      onDidGrantWorkspaceTrust: subscription,
    },
  };
});

/** The editor's collection: variables by folder. */
function aCollection() {
  const scopes = new Map<string, Map<string, string>>();
  const scoped = ({ workspaceFolder }: { workspaceFolder: { uri: { fsPath: string } } }) => {
    const variables = scopes.get(workspaceFolder.uri.fsPath) ?? new Map<string, string>();
    scopes.set(workspaceFolder.uri.fsPath, variables);
    return {
      clear: () => variables.clear(),
      replace: (name: string, value: string) => void variables.set(name, value),
    };
  };
  const clear = vi.fn(() => scopes.forEach(variables => void variables.clear()));
  const collection = { persistent: true, clear, getScoped: scoped };
  const of = (folder: string) => Object.fromEntries(scopes.get(folder) ?? []);
  return { collection, of };
}

function aCoach() {
  const asked: string[] = [];
  const told: string[] = [];
  const closed: string[] = [];
  const states: ((state: string) => void)[] = [];
  const server = {
    state: 'up',
    onDidChangeState: (listener: (state: string) => void) => {
      states.push(listener);
      return { dispose: () => undefined };
    },
  };
  const proxy = {
    start: async () => void asked.push('start'),
    environment: async ({ baseUrls, secrets }: { baseUrls: Record<string, string>; secrets: string[] }) => {
      told.push(...secrets);
      const env = { HTTPS_PROXY: 'http://127.0.0.1:18080', ALL_PROXY: null };
      if (Object.keys(baseUrls).length === 0) return { env, token: null };
      const token = `token-${asked.length}`;
      return { env: { ...env, ...Object.fromEntries(Object.keys(baseUrls).map(name => [name, token])) }, token };
    },
    close: async ({ token }: { token: string }) => void closed.push(token),
  };
  const become = (state: string) => {
    server.state = state;
    for (const listener of states) listener(state);
  };
  return { coach: { server, api: { proxy }, log: console } as unknown as Coach, asked, told, closed, become };
}

const aFolder = (path: string) => ({ uri: { scheme: 'file', fsPath: path, toString: () => `file://${path}` } });
const route = { HTTPS_PROXY: 'http://127.0.0.1:18080', ALL_PROXY: '' };

function routed({ coach, asked, told, closed, become } = aCoach()) {
  const { collection, of } = aCollection();
  const routing = routeTerminals(coach, collection as unknown as vscode.GlobalEnvironmentVariableCollection);
  return { collection, of, asked, told, closed, become, routing };
}

/** Everything that waits for nothing else has happened. */
const settled = () => new Promise(resolve => setTimeout(resolve, 20));

describe('terminals', () => {
  beforeEach(() => {
    editor.record.clear();
    editor.isTrusted = true;
    editor.folders = [aFolder('/a'), aFolder('/b')];
    editor.terminals = [];
  });

  it('are left alone unless the person wants them recorded: no proxy is started', async () => {
    const { collection, of, asked } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual({}));
    expect(asked).toEqual([]);
    expect(collection.persistent).toBe(false);
    expect(collection.clear).toHaveBeenCalledOnce();
  });

  it('are routed in the folders that want it, until it is turned off', async () => {
    editor.record.add('/a');
    const { of } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual(route));
    expect(of('/b')).toEqual({});
    editor.record.clear();
    editor.changed({ affectsConfiguration: () => true });
    await vi.waitFor(() => expect(of('/a')).toEqual({}));
  });

  it('have the secret values of the editor’s environment hidden, also by a server that is started anew', async () => {
    vi.stubEnv('DB_PASSWORD', 'a1b2c3d4e5f60718');
    onTestFinished(() => void vi.unstubAllEnvs());
    editor.record.add('/a');
    const { told, become } = routed();
    await vi.waitFor(() => expect(told).toContain('a1b2c3d4e5f60718'));
    told.length = 0;
    become('down');
    become('up');
    await vi.waitFor(() => expect(told).toContain('a1b2c3d4e5f60718'));
  });

  it('are not led to a proxy that is gone, and are again when it is back', async () => {
    editor.record.add('/a');
    const { of, become } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual(route));
    become('down');
    await vi.waitFor(() => expect(of('/a')).toEqual({}));
    become('up');
    await vi.waitFor(() => expect(of('/a')).toEqual(route));
  });

  it('are not routed in a workspace that is not trusted', async () => {
    editor.record.add('/a');
    editor.isTrusted = false;
    const { of, asked } = routed();
    editor.changed({ affectsConfiguration: () => true });
    await new Promise(resolve => setImmediate(resolve));
    expect([of('/a'), asked]).toEqual([{}, []]);
  });

  it('have nothing left of it when the extension ends', async () => {
    editor.record.add('/a');
    const { of, routing } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual(route));
    routing.dispose();
    expect(of('/a')).toEqual({});
  });

  it('lead agents on to the base URLs of the editor, by one launch that ends with it', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:4000/v1');
    onTestFinished(() => void vi.unstubAllEnvs());
    editor.record.add('/a');
    const { of, closed, routing } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual({ ...route, OPENAI_BASE_URL: 'token-1' }));
    editor.changed({ affectsConfiguration: () => true });
    await vi.waitFor(() => expect(closed).toEqual(['token-2']));
    expect(of('/a')).toEqual({ ...route, OPENAI_BASE_URL: 'token-1' });
    routing.dispose();
    expect(closed).toEqual(['token-2', 'token-1']);
  });

  it('keep the launch that an agent in them may use, whatever becomes of new ones, until they are closed', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:4000/v1');
    onTestFinished(() => void vi.unstubAllEnvs());
    editor.record.add('/a');
    const { of, closed } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual({ ...route, OPENAI_BASE_URL: 'token-1' }));
    const terminals = [{ name: 'one' }, { name: 'two' }];
    editor.terminals = terminals;
    editor.record.clear();
    editor.changed({ affectsConfiguration: () => true });
    await vi.waitFor(() => expect(of('/a')).toEqual({}));
    await settled();
    expect(closed).toEqual([]);
    // Opened after it was turned off: it has nothing of it.
    editor.terminals = [...terminals, { name: 'three' }];
    editor.closed(terminals[0] as object);
    expect(closed).toEqual([]);
    editor.closed(terminals[1] as object);
    expect(closed).toEqual(['token-1']);
  });

  it('keep their launch when the window is loaded anew, since they come back with it', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:4000/v1');
    onTestFinished(() => void vi.unstubAllEnvs());
    editor.record.add('/a');
    const { of, closed, routing } = routed();
    await vi.waitFor(() => expect(of('/a')).toEqual({ ...route, OPENAI_BASE_URL: 'token-1' }));
    editor.terminals = [{ name: 'one' }];
    routing.dispose();
    expect(closed).toEqual([]);
  });

  it('stay unrouted when that is turned off while the proxy is still starting', async () => {
    const world = aCoach();
    const started = Promise.withResolvers<void>();
    Object.assign(world.coach.api.proxy, { start: () => started.promise });
    editor.record.add('/a');
    const { of } = routed(world);
    await settled();
    editor.record.clear();
    editor.changed({ affectsConfiguration: () => true });
    await settled();
    started.resolve();
    await settled();
    expect(of('/a')).toEqual({});
  });

  it('get nothing from an answer that comes after the end, and its launch is closed', async () => {
    vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:4000/v1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const world = aCoach();
    const { environment } = world.coach.api.proxy;
    const answered = Promise.withResolvers<void>();
    Object.assign(world.coach.api.proxy, {
      environment: async (asked: Parameters<typeof environment>[0]) => {
        const answer = await environment(asked);
        await answered.promise;
        return answer;
      },
    });
    editor.record.add('/a');
    const { of, closed, routing } = routed(world);
    await settled();
    routing.dispose();
    answered.resolve();
    await settled();
    expect([of('/a'), closed]).toEqual([{}, ['token-1']]);
  });

  it('open no launch when the end comes while the proxy is still starting', async () => {
    const world = aCoach();
    vi.stubEnv('DB_PASSWORD', 'a1b2c3d4e5f60718');
    onTestFinished(() => void vi.unstubAllEnvs());
    const started = Promise.withResolvers<void>();
    Object.assign(world.coach.api.proxy, { start: () => started.promise });
    editor.record.add('/a');
    const { told, routing } = routed(world);
    await settled();
    routing.dispose();
    started.resolve();
    await settled();
    expect(told).toEqual([]);
  });
});

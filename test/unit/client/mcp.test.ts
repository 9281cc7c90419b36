import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type * as vscode from 'vscode';
import { mcpProviderId } from '../../../client/contributions.ts';
import { publishMcpServer } from '../../../client/mcp.ts';

type Provider = vscode.McpServerDefinitionProvider<vscode.McpStdioServerDefinition>;

const editor = vi.hoisted(() => ({
  providers: new Map<string, unknown>(),
  workspace: { isTrusted: true, workspaceFolders: [] as object[] },
  lm: {} as Record<string, unknown>,
}));
vi.mock('vscode', () => {
  const subscription = () => ({ dispose: () => undefined });
  class Definition {
    readonly parts: unknown[];
    cwd: unknown;
    constructor(...parts: unknown[]) {
      this.parts = parts;
    }
  }
  return {
    Disposable: Object.assign(
      class {
        dispose = () => undefined;
      },
      { from: subscription },
    ),
    EventEmitter: class {
      event = subscription;
      fire = () => undefined;
    },
    McpStdioServerDefinition: Definition,
    Uri: { file: (path: string) => ({ fsPath: path }) },
    lm: editor.lm,
    workspace: Object.assign(editor.workspace, {
      onDidGrantWorkspaceTrust: subscription,
      onDidChangeWorkspaceFolders: subscription,
    }),
  };
});

const extension = { extensionPath: '/ext', packageJSON: { version: '1.2.3' } } as vscode.Extension<unknown>;

function published(): unknown {
  const provider = editor.providers.get(mcpProviderId) as Provider;
  return provider.provideMcpServerDefinitions({} as vscode.CancellationToken);
}

beforeEach(() => {
  editor.providers.clear();
  editor.lm['registerMcpServerDefinitionProvider'] = (id: string, provider: unknown) =>
    editor.providers.set(id, provider);
  editor.workspace.isTrusted = true;
  editor.workspace.workspaceFolders = [{ uri: { scheme: 'file', fsPath: '/work' } }];
});

it('offers our MCP server, of this world, in the first folder', () => {
  publishMcpServer(extension, '/home/coach');
  const environment = expect.objectContaining({ COACH_HOME: '/home/coach', ELECTRON_RUN_AS_NODE: '1' }) as unknown;
  const program = join('/ext', 'dist', 'cli.cjs');
  expect(published()).toEqual([
    {
      parts: ['Codex Coach', process.execPath, [program, 'mcp'], environment, '1.2.3'],
      cwd: { fsPath: '/work' },
    },
  ]);
});

it('offers none in a workspace that is not trusted, or without a folder', () => {
  publishMcpServer(extension, '/home/coach');
  editor.workspace.isTrusted = false;
  expect(published()).toEqual([]);
  editor.workspace.isTrusted = true;
  editor.workspace.workspaceFolders = [];
  expect(published()).toEqual([]);
});

it('leaves an editor alone that knows no such servers', () => {
  delete editor.lm['registerMcpServerDefinitionProvider'];
  expect(() => publishMcpServer(extension, '/home/coach')).not.toThrow();
});

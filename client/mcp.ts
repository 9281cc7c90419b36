import { join } from 'node:path';
import * as vscode from 'vscode';
import { serverEnvironment } from '../protocol/server.ts';
import { mcpProviderId } from './contributions.ts';
import { repositories } from './repository.ts';

/**
 * Offers our MCP server to the editor's own agents. It is started by the editor when one of them needs it, in the first
 * folder of the window, and only in a trusted one. An editor without this interface is left alone.
 */
export function publishMcpServer(extension: vscode.Extension<unknown>, home: string): vscode.Disposable {
  if (typeof vscode.lm?.registerMcpServerDefinitionProvider !== 'function')
    return new vscode.Disposable(() => undefined);
  const changed = new vscode.EventEmitter<void>();
  const { version } = extension.packageJSON as { version: string };
  const program = join(extension.extensionPath, 'dist', 'cli.cjs');
  return vscode.Disposable.from(
    changed,
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => changed.fire()),
    vscode.lm.registerMcpServerDefinitionProvider(mcpProviderId, {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions() {
        const [folder] = repositories();
        if (!vscode.workspace.isTrusted || folder === undefined) return [];
        const environment = { ...serverEnvironment(home) };
        const definition = new vscode.McpStdioServerDefinition(
          'Codex Coach',
          process.execPath,
          [program, 'mcp'],
          environment,
          version,
        );
        definition.cwd = vscode.Uri.file(folder);
        return [definition];
      },
    }),
  );
}

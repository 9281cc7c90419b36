import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Coach } from '../coach.ts';
import { type ViewName, viewId } from '../contributions.ts';

/** What makes a native tree out of rows from the server. */
export interface ListSource<Node> {
  readonly view: ViewName;
  /** Top rows. A fault of theirs is shown above the tree; `server.unreachable` leaves it to the welcome text. */
  roots(): Promise<Node[]>;
  children?(node: Node): Promise<Node[]>;
  item(node: Node): vscode.TreeItem;
  /** Subscribes to what makes the rows stale. */
  watch(stale: () => void): vscode.Disposable[];
}

/** Changes come in bursts while an agent works; the rows follow at most this often. */
const refreshMs = 500;

export interface List<Node> extends vscode.Disposable {
  readonly tree: vscode.TreeView<Node>;
  /** Asks the server again for all rows, or for one row's children. */
  refresh(node?: Node): void;
}

/** A tree that fills itself when it is looked at, and again when the server comes back. */
export function createList<Node>(source: ListSource<Node>, coach: Coach): List<Node> {
  const changed = new vscode.EventEmitter<Node | undefined>();
  const provider: vscode.TreeDataProvider<Node> = {
    onDidChangeTreeData: changed.event,
    getTreeItem(node) {
      const item = source.item(node);
      // Without it a screen reader would read the whole tooltip as the row's name.
      item.accessibilityInformation = { label: [item.label, item.description].filter(Boolean).join(', ') };
      return item;
    },
    async getChildren(node) {
      if (!vscode.workspace.isTrusted) return [];
      try {
        const rows = node === undefined ? await source.roots() : ((await source.children?.(node)) ?? []);
        tree.message = '';
        return rows;
      } catch (error) {
        const fault = CoachError.from(error);
        coach.log.error(`${source.view}: ${fault.message}`);
        const toldByWelcome = coach.server.state === 'down' || fault.code === 'server.unreachable';
        tree.message = toldByWelcome ? '' : [fault.message, fault.hint].filter(Boolean).join(' ');
        return [];
      }
    },
  };
  const tree: vscode.TreeView<Node> = vscode.window.createTreeView(viewId(source.view), {
    treeDataProvider: provider,
    showCollapseAll: source.children !== undefined,
    canSelectMany: source.view === 'tasks',
  });
  const refresh = (node?: Node) => changed.fire(node);
  let timer: NodeJS.Timeout | undefined;
  const refreshSoon = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      refresh();
    }, refreshMs);
  };
  const subscriptions = [
    ...source.watch(refreshSoon),
    new vscode.Disposable(() => clearTimeout(timer)),
    coach.server.onDidChangeState(state => {
      if (state !== 'starting') refresh();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => refresh()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => refresh()),
  ];
  return {
    tree,
    refresh,
    dispose: () => void vscode.Disposable.from(tree, changed, ...subscriptions).dispose(),
  };
}

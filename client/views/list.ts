import * as vscode from 'vscode';
import { CoachError } from '../../protocol/errors.ts';
import type { Coach } from '../coach.ts';
import { type ViewName, viewId } from '../contributions.ts';
import { faultWords } from '../failures.ts';

/** What makes a native tree out of rows from the server. */
export interface ListSource<Node> {
  readonly view: ViewName;
  /** Shown in workspaces that are not trusted, too. */
  readonly readsRecordsOnly?: boolean;
  /** Top rows. A fault of theirs is shown above the tree; `server.unreachable` leaves it to the welcome text. */
  roots(): Promise<Node[]>;
  children?(node: Node): Promise<Node[]>;
  item(node: Node): vscode.TreeItem;
  /** Forgets what is kept between two askings, because all of it may be stale. */
  invalidate?(): void;
  /** Where rows can be dragged to. */
  readonly drops?: vscode.TreeDragAndDropController<Node>;
  /** Subscribes to what makes rows stale: one row and what is below it, or all. */
  watch(stale: (node?: Node) => void): vscode.Disposable[];
}

/** Changes come in bursts while an agent works; the rows follow at most this often. */
const refreshMs = 500;

export interface List<Node> extends vscode.Disposable {
  readonly tree: vscode.TreeView<Node>;
  /** Asks the server again for all rows. */
  refresh(): void;
}

/** A tree that fills itself when it is looked at, and again when the server comes back. */
export function createList<Node>(source: ListSource<Node>, coach: Coach): List<Node> {
  const changed = new vscode.EventEmitter<Node | undefined>();
  const provider: vscode.TreeDataProvider<Node> = {
    onDidChangeTreeData: changed.event,
    getTreeItem(node) {
      const item = source.item(node);
      // Without it a screen reader would read the whole tooltip as the row's name.
      item.accessibilityInformation ??= { label: [item.label, item.description].filter(Boolean).join(', ') };
      return item;
    },
    async getChildren(node) {
      if (!vscode.workspace.isTrusted && source.readsRecordsOnly !== true) return [];
      try {
        const rows = node === undefined ? await source.roots() : ((await source.children?.(node)) ?? []);
        tree.message = '';
        return rows;
      } catch (error) {
        const fault = CoachError.from(error);
        coach.log.error(`${source.view}: ${fault.message}`);
        const toldByWelcome = coach.server.state === 'down' || fault.code === 'server.unreachable';
        tree.message = toldByWelcome ? '' : faultWords(fault);
        return [];
      }
    },
  };
  const tree: vscode.TreeView<Node> = vscode.window.createTreeView(viewId(source.view), {
    treeDataProvider: provider,
    showCollapseAll: source.children !== undefined,
    canSelectMany: source.view === 'tasks',
    manageCheckboxStateManually: true,
    ...(source.drops === undefined ? {} : { dragAndDropController: source.drops }),
  });
  const refresh = () => {
    source.invalidate?.();
    changed.fire(undefined);
  };
  const burst = collectBursts<Node>(nodes => {
    if (nodes === 'all') changed.fire(undefined);
    else for (const node of nodes) changed.fire(node);
  });
  const subscriptions = [
    ...source.watch(burst.add),
    burst,
    coach.server.onDidChangeState(state => {
      if (state !== 'starting') refresh();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(refresh),
    vscode.workspace.onDidChangeWorkspaceFolders(refresh),
  ];
  return { tree, refresh, dispose: () => void vscode.Disposable.from(tree, changed, ...subscriptions).dispose() };
}

/** Passes on which rows became stale, each once, when a burst is over. */
function collectBursts<Node>(
  pass: (nodes: 'all' | ReadonlySet<Node>) => void,
): vscode.Disposable & { add(node?: Node): void } {
  const single = new Set<Node>();
  let all = false;
  let timer: NodeJS.Timeout | undefined;
  return {
    add(node) {
      if (node === undefined) all = true;
      else single.add(node);
      timer ??= setTimeout(() => {
        timer = undefined;
        pass(all ? 'all' : new Set(single));
        single.clear();
        all = false;
      }, refreshMs);
    },
    dispose: () => clearTimeout(timer),
  };
}

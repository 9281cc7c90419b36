import * as vscode from 'vscode';
import type { TaskSummary } from '../protocol/tasks.ts';

type TaskWork = 'preparing' | 'validating';

/** What this window is doing with tasks, for as long as it takes: their rows show it. */
export class BusyTasks implements vscode.Disposable {
  readonly #works = new Map<string, TaskWork>();
  readonly #changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.#changed.event;

  of(task: TaskSummary): TaskWork | undefined {
    return this.#works.get(keyOf(task));
  }

  /** Does `work`; the task counts as busy until it has ended, however that is. */
  async during<T>(task: TaskSummary, what: TaskWork, work: () => Promise<T>): Promise<T> {
    this.#works.set(keyOf(task), what);
    this.#changed.fire();
    try {
      return await work();
    } finally {
      this.#works.delete(keyOf(task));
      this.#changed.fire();
    }
  }

  dispose(): void {
    this.#changed.dispose();
  }
}

const keyOf = ({ repository, id }: TaskSummary): string => `${repository}/${id}`;

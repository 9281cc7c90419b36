import type { CommandName } from '../contributions.ts';

/** A command's work. `target` is the row it was started from, `selection` all selected rows; both may be missing. */
export type CommandHandler = (target: unknown, selection: unknown) => unknown;

/** Some commands with their handlers; the extension checks that together they are all. */
export type CommandHandlers<Name extends CommandName> = Readonly<Record<Name, CommandHandler>>;

/** Rows of one kind that a command was started from; empty from the palette. */
export function rowsOf<Node extends { readonly kind: string }>(
  kind: Node['kind'],
  target: unknown,
  selection: unknown = undefined,
): Node[] {
  const rows = Array.isArray(selection) && selection.length > 0 ? selection : [target];
  return rows.filter((row): row is Node => (row as { kind?: unknown } | undefined)?.kind === kind);
}

/** Part of a text, in UTF-16 code units from its start; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a TOML or JSON text says, with the place of everything it says it at. */
export type Tree = TableNode | ListNode | ScalarNode;

export interface TableNode {
  readonly kind: 'table';
  span: Span;
  readonly members: Member[];
}

export interface ListNode {
  readonly kind: 'list';
  span: Span;
  readonly items: Tree[];
}

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly span: Span;
  readonly value: unknown;
}

export interface Member {
  readonly key: string;
  readonly keySpan: Span;
  readonly node: Tree;
}

/** Why a text is not what its name says, at one place. */
export interface Fault {
  readonly span: Span;
  readonly message: string;
}

/** A text that was read as far as it can be. */
export interface ParsedText {
  readonly root: Tree;
  readonly faults: readonly Fault[];
}

export type Path = readonly (string | number)[];

/** The value that a node stands for; of a key that is given twice, the first. */
export function toValue(node: Tree): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toValue);
    case 'table': {
      // No prototype: a key called __proto__ is a key like any other.
      const value: Record<string, unknown> = Object.create(null);
      for (const { key, node: child } of node.members) if (!(key in value)) value[key] = toValue(child);
      return value;
    }
  }
}

export interface Found {
  readonly node: Tree;
  /** Null for the root and for items of a list. */
  readonly member: Member | null;
  /** How much of the path there is. */
  readonly depth: number;
}

/** The node at a path, or the last one on the way to it. */
export function find(root: Tree, path: Path): Found {
  let found: Found = { node: root, member: null, depth: 0 };
  for (const step of path) {
    const { node, depth } = found;
    const member = node.kind === 'table' ? node.members.find(({ key }) => key === String(step)) : undefined;
    const next = member?.node ?? (node.kind === 'list' ? node.items[Number(step)] : undefined);
    if (next === undefined) return found;
    found = { node: next, member: member ?? null, depth: depth + 1 };
  }
  return found;
}

/** A node with its path, and the member that names it. */
export interface Visited {
  readonly path: Path;
  readonly node: Tree;
  readonly member: Member | null;
}

/** Every node, outermost first. */
export function* walk(node: Tree, path: Path = [], member: Member | null = null): Generator<Visited> {
  yield { path, node, member };
  if (node.kind === 'table') for (const child of node.members) yield* walk(child.node, [...path, child.key], child);
  if (node.kind === 'list') for (const [index, item] of node.items.entries()) yield* walk(item, [...path, index]);
}

export function contains({ start, end }: Span, offset: number): boolean {
  return start <= offset && offset <= end;
}

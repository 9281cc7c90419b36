/** A description of an element. `key` keeps its identity when its neighbours come and go. */
export interface View {
  readonly tag: string;
  readonly key: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly style: Readonly<Record<string, string>>;
  readonly on: Readonly<Record<string, (event: Event) => void>>;
  /** Set once when the element is made; after that it belongs to the person (an opened fold stays open). */
  readonly initial: Readonly<Record<string, string>>;
  readonly children: readonly (View | string)[];
}

export interface Props {
  readonly key?: string;
  readonly class?: string;
  /** Tooltip, and the accessible name where there is no text. */
  readonly title?: string;
  readonly attributes?: Readonly<Record<string, string | undefined>>;
  readonly style?: Readonly<Record<string, string>>;
  readonly on?: Readonly<Record<string, (event: Event) => void>>;
  readonly initial?: Readonly<Record<string, string>>;
}

export type Child = View | string | null | undefined | false | readonly Child[];

/** Describes an element. Strings become text nodes: nothing is ever parsed as markup. */
export function el(tag: string, props: Props = {}, ...children: readonly Child[]): View {
  const attributes: Record<string, string> = {};
  if (props.class !== undefined) attributes['class'] = props.class;
  if (props.title !== undefined) attributes['title'] = props.title;
  for (const [name, value] of Object.entries(props.attributes ?? {})) if (value !== undefined) attributes[name] = value;
  return {
    tag,
    key: props.key,
    attributes,
    style: props.style ?? {},
    on: props.on ?? {},
    initial: props.initial ?? {},
    children: flatten(children),
  };
}

function flatten(children: readonly Child[]): (View | string)[] {
  return children.flatMap(child => {
    if (child === null || child === undefined || child === false || child === '') return [];
    return typeof child === 'string' || 'tag' in child ? [child] : flatten(child as readonly Child[]);
  });
}

/** SVG needs its own namespace. */
const svgTags = new Set(['svg', 'g', 'path', 'circle', 'line', 'text']);
const shown = new WeakMap<Node, View>();

/** Makes the children of an element look like the descriptions, keeping focus, scroll and opened folds. */
export function patch(parent: Element, views: readonly (View | string)[]): void {
  const byKey = new Map<string, Element>();
  for (const child of parent.children) {
    const key = shown.get(child)?.key;
    if (key !== undefined) byKey.set(key, child);
  }
  let place: ChildNode | null = parent.firstChild;
  for (const view of views) {
    const reused = reuse(view, place, byKey);
    const node = reused ?? create(view);
    // Before it is inserted: a custom element reads its attributes once, when it is connected.
    update(node, view);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  while (place !== null) {
    const next: ChildNode | null = place.nextSibling;
    place.remove();
    place = next;
  }
}

function reuse(view: View | string, place: ChildNode | null, byKey: ReadonlyMap<string, Element>): ChildNode | null {
  if (typeof view === 'string') return place instanceof Text ? place : null;
  if (view.key !== undefined) return byKey.get(view.key) ?? null;
  const before = place === null ? undefined : shown.get(place);
  return before !== undefined && before.key === undefined && before.tag === view.tag ? place : null;
}

function create(view: View | string): ChildNode {
  if (typeof view === 'string') return document.createTextNode(view);
  const element = svgTags.has(view.tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', view.tag)
    : document.createElement(view.tag);
  for (const [name, value] of Object.entries(view.initial)) element.setAttribute(name, value);
  return element;
}

function update(node: ChildNode, view: View | string): void {
  if (typeof view === 'string') {
    if (node.textContent !== view) node.textContent = view;
    return;
  }
  const element = node as HTMLElement;
  const before = shown.get(element);
  shown.set(element, view);
  for (const name of Object.keys(before?.attributes ?? {})) {
    if (!(name in view.attributes)) element.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(view.attributes)) {
    if (before?.attributes[name] !== value) element.setAttribute(name, value);
  }
  for (const [name, value] of Object.entries(view.style)) {
    if (before?.style[name] !== value) element.style.setProperty(name, value);
  }
  for (const [name, listener] of Object.entries(before?.on ?? {})) element.removeEventListener(name, listener);
  for (const [name, listener] of Object.entries(view.on)) element.addEventListener(name, listener);
  patch(element, view.children);
}

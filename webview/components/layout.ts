import { type Child, el, type View } from './element.ts';
import { icon } from './icons.ts';

/** What every page begins with: its title, a line of what it is about, and what can be done with it. */
export function heading(title: View, about: { readonly text: string; readonly title: string }, actions: View): View {
  return el(
    'div',
    { class: 'row top' },
    el('div', { class: 'grow' }, title, el('p', { class: 'dim end', title: about.title }, about.text)),
    actions,
  );
}

/** A titled part of the page that folds. It keeps its state by `id` while the page is open. */
export function fold(id: string, title: string, aside: Child, ...children: readonly Child[]): View {
  return el(
    'details',
    { key: id, class: 'sec', initial: { open: '' }, attributes: { id } },
    el(
      'summary',
      { class: 'inset' },
      icon('chevron'),
      el('span', {}, title),
      el('span', { class: 'aside dim' }, aside),
    ),
    ...children,
  );
}

/** A part of the page that is always there. */
export function section(id: string, title: string, aside: Child, ...children: readonly Child[]): View {
  return el(
    'section',
    { key: id, attributes: { 'aria-labelledby': `h-${id}` } },
    el('div', { class: 'sh' }, el('h2', { attributes: { id: `h-${id}` } }, title), el('span', { class: 'dim' }, aside)),
    ...children,
  );
}

/** Cuts a long name in its middle: the tail after the last `-` or ` > ` tells names apart. It is read out in one piece. */
export function middle(text: string): View {
  const split = Math.max(text.lastIndexOf('-'), text.lastIndexOf(' > '));
  const at = split > 0 && text.length - split <= 24 ? split : Math.max(0, text.length - 8);
  const shown = { 'aria-hidden': 'true' };
  return el(
    'span',
    { class: 'mid', title: text },
    el('span', { class: 'head', attributes: shown }, text.slice(0, at)),
    el('span', { class: 'tail', attributes: shown }, text.slice(at)),
    el('span', { class: 'sr' }, text),
  );
}

/** A figure with its name above; `of` says against which limit, 0 to 1 draws a bar. */
export function figure(name: string, value: string, of: string | null, fraction: number | null): View {
  const percent = fraction === null ? null : Math.round(Math.min(1, Math.max(0, fraction)) * 100);
  return el(
    'div',
    { class: 'm', key: name },
    el(
      'div',
      { class: 'row' },
      el('span', { class: 'dim' }, name),
      el('span', { class: 'grow' }),
      el('b', { class: 'strong', attributes: { 'data-figure': name } }, value),
      of === null ? null : el('span', { class: 'dim' }, of),
    ),
    percent === null
      ? null
      : el(
          'div',
          {
            class: 'meter',
            attributes: {
              role: 'meter',
              'aria-label': name,
              'aria-valuemin': '0',
              'aria-valuemax': '100',
              'aria-valuenow': String(percent),
            },
          },
          el('i', { style: { width: `${percent}%` } }),
        ),
  );
}

/** A boxed message; `alert` ones are read out at once. */
export function note(kind: 'warning' | 'error', title: string, text: string, ...actions: readonly Child[]): View {
  return el(
    'div',
    { key: `note-${title}`, class: `note ${kind}`, attributes: { role: kind === 'error' ? 'alert' : 'status' } },
    icon(kind === 'error' ? 'errored' : 'server', kind === 'error' ? 'error' : 'part'),
    el(
      'div',
      { class: 'grow' },
      el('b', { class: 'strong' }, title),
      ' ',
      text,
      el('div', { class: 'row acts' }, actions),
    ),
  );
}

import type { View } from '../../../webview/components/element.ts';

const readAttributes = ['title', 'aria-label', 'aria-valuetext', 'placeholder', 'alt'];

/** Everything that a person reads or hears of some views: texts, tooltips, names for screen readers. */
export function shownTexts(views: readonly (View | string | null | undefined | false)[]): string[] {
  return views.flatMap(view => {
    if (typeof view === 'string') return [view];
    if (!view) return [];
    const attributes = { ...view.attributes, ...view.initial };
    const named = readAttributes.flatMap(name => attributes[name] ?? []);
    return [...named, ...shownTexts(view.children)];
  });
}

import { el, type View } from '../../components/element.ts';
import { button } from '../../components/toolkit.ts';
import type { SessionContext } from './context.ts';
import type { Part } from './sessionModel.ts';

const parts: readonly [part: Part, word: string][] = [
  ['messages', 'Messages'],
  ['tools', 'Tools'],
  ['reasoning', 'Reasoning'],
  ['context', 'Context'],
];

/** Search, and what is shown. It stays at the top with the heads of the columns. */
export function toolbar(context: SessionContext): View {
  const { model, actions, showsChanges } = context;
  return el(
    'div',
    { key: 'bar', class: 'bar', attributes: { id: 'bar' } },
    el(
      'div',
      { class: 'tools', attributes: { role: 'search' } },
      el('input', {
        initial: {
          type: 'search',
          id: 'find',
          placeholder: 'Search this session',
          'aria-label': 'Search this session',
        },
        attributes: { spellcheck: 'false' },
        on: {
          input: event => actions.search((event.target as HTMLInputElement).value),
          keydown: event => {
            const { key, shiftKey } = event as KeyboardEvent;
            if (key === 'Enter') actions.step(shiftKey ? -1 : 1);
          },
        },
      }),
      el('output', { class: 'dim', attributes: { id: 'found', 'aria-live': 'polite' } }, foundWords(context)),
      stepButton('Previous match', '↑', () => actions.step(-1)),
      stepButton('Next match', '↓', () => actions.step(1)),
      el(
        'span',
        { class: 'checks' },
        parts.map(([part, word]) =>
          checkbox(part, word, !model.isHidden(part), isShown => actions.show(part, isShown)),
        ),
        model.session?.source === 'codexFile'
          ? null
          : checkbox('changes', 'What changed', showsChanges, actions.showChanges),
      ),
    ),
    el(
      'div',
      { class: 'x heads small dim', attributes: { 'aria-hidden': 'true' } },
      ['#', 'Conversation', 'Tokens in', 'Cached', 'Out', 'Cost', 'First token'].map(name => el('span', {}, name)),
    ),
  );
}

function foundWords({ model, query, isSearching }: SessionContext): string {
  if (query === '') return '';
  if (isSearching) return 'Searching…';
  const hits = model.shownHits();
  return hits.length === 0 ? 'Not found' : `${model.hit + 1} of ${hits.length}`;
}

function stepButton(title: string, sign: string, onClick: () => void): View {
  const shown = el('span', { attributes: { 'aria-hidden': 'true' } }, sign);
  return button({ title, onClick }, shown, el('span', { class: 'sr' }, title));
}

function checkbox(id: string, word: string, isOn: boolean, onChange: (isOn: boolean) => void): View {
  return el(
    'label',
    { key: id },
    el('input', {
      initial: { type: 'checkbox', id: `show-${id}`, ...(isOn ? { checked: '' } : {}) },
      on: { change: event => onChange((event.target as HTMLInputElement).checked) },
    }),
    word,
  );
}

import * as l10n from '@vscode/l10n';
import { el, type View } from '../../components/element.ts';
import { button } from '../../components/toolkit.ts';
import type { SessionContext } from './context.ts';
import type { Part } from './sessionModel.ts';

function partWords(): readonly [part: Part, word: string][] {
  return [
    ['messages', l10n.t('Messages')],
    ['tools', l10n.t('Tools')],
    ['reasoning', l10n.t('Reasoning')],
    ['context', l10n.t('Context')],
  ];
}

/** Search, and what is shown. It stays at the top with the heads of the columns. */
export function toolbar(context: SessionContext): View {
  const { model, actions, query, showsChanges } = context;
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
          value: query,
          placeholder: l10n.t('Search this session'),
          'aria-label': l10n.t('Search this session'),
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
      stepButton(l10n.t('Previous match'), '↑', () => actions.step(-1)),
      stepButton(l10n.t('Next match'), '↓', () => actions.step(1)),
      el(
        'span',
        { class: 'checks' },
        partWords().map(([part, word]) =>
          checkbox(part, word, !model.isHidden(part), isShown => actions.show(part, isShown)),
        ),
        model.session?.source === 'codexFile'
          ? null
          : checkbox('changes', l10n.t('What changed'), showsChanges, actions.showChanges),
      ),
    ),
    el(
      'div',
      { class: 'x heads small dim', attributes: { 'aria-hidden': 'true' } },
      heads().map(name => el('span', {}, name)),
    ),
  );
}

function heads(): string[] {
  return [
    '#',
    l10n.t('Conversation'),
    l10n.t('Tokens in'),
    l10n.t('Cached'),
    l10n.t('Out'),
    l10n.t('Cost'),
    l10n.t('First token'),
  ];
}

function foundWords({ model, query, isSearching }: SessionContext): string {
  if (query === '') return '';
  if (isSearching) return l10n.t('Searching…');
  const hits = model.shownHits();
  return hits.length === 0 ? l10n.t('Not found') : l10n.t('{0} of {1}', model.hit + 1, hits.length);
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

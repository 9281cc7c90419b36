import * as l10n from '@vscode/l10n';
import type { ConversationLine, LineKind, TouchedFile } from '../../../protocol/sessions.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { type Child, el, type View } from '../../components/element.ts';
import { type IconName, icon } from '../../components/icons.ts';
import { actionLink, button } from '../../components/toolkit.ts';
import type { SessionContext } from './context.ts';
import type { LineRow, LineText } from './sessionModel.ts';

/** Lines of a text that are drawn in place. */
const maxLines = 200;
/** Files linked from one line; a patch can name hundreds. */
const maxFiles = 12;

const icons: Readonly<Record<LineKind, IconName>> = {
  prompt: 'message',
  assistant: 'message',
  reasoning: 'reasoning',
  tool: 'command',
  output: 'log',
  context: 'file',
  instructions: 'file',
  other: 'file',
};

function kindWord(kind: LineKind): string {
  switch (kind) {
    case 'prompt':
      return l10n.t('You');
    case 'assistant':
      return l10n.t('Agent');
    case 'reasoning':
      return l10n.t('Reasoning');
    case 'tool':
      return l10n.t('Tool');
    case 'output':
      return l10n.t('Output');
    case 'context':
      return l10n.t('Context');
    case 'instructions':
      return l10n.t('Instructions');
    case 'other':
      return l10n.t('Other');
  }
}

/** One piece of the conversation: spoken words in place, everything else folded. */
export function lineRow(row: LineRow, context: SessionContext): View[] {
  const line = context.model.lines.get(row.key);
  if (line === undefined) return [el('p', { key: 'wait', class: 'dim said' }, '…')];
  return row.line === 'prompt' || row.line === 'assistant' ? spoken(row, line, context) : folded(row, line, context);
}

function spoken({ key, number }: LineRow, line: ConversationLine, context: SessionContext): View[] {
  const { model, actions } = context;
  const isWhole = line.length <= line.text.length;
  const isOpen = model.unfolded.has(key);
  const text = isOpen ? model.texts.get(key) : undefined;
  const who = (line.kind === 'assistant' ? model.session?.agent : null) ?? kindWord(line.kind);
  return [
    el(
      'div',
      { key: 'said', class: `said ${line.kind}` },
      icon('message', line.kind === 'prompt' ? 'run' : 'plain'),
      el(
        'div',
        { class: 'grow' },
        el('b', { class: 'strong' }, visible(who)),
        el('p', { class: 'words' }, visible(text?.text ?? line.text), isWhole || text ? null : '…'),
        isWhole
          ? null
          : el(
              'p',
              { class: 'row' },
              actionLink(isOpen ? l10n.t('Show less') : l10n.t('Show all {0} characters', toLength(line.length)), () =>
                actions.toggle(key),
              ),
              text?.isCut === true ? actionLink(l10n.t('Open in editor'), () => actions.openText(number)) : null,
            ),
      ),
    ),
  ];
}

function folded(row: LineRow, line: ConversationLine, context: SessionContext): View[] {
  const { model, actions } = context;
  const isOpen = model.unfolded.has(row.key);
  const text = isOpen ? model.texts.get(row.key) : undefined;
  const isEdit = line.files.some(file => file.change === 'edited');
  return [
    el(
      'div',
      { key: 'head', class: `line ${line.kind}${isEdit ? ' edits' : ''}` },
      el(
        'button',
        {
          class: 'fold inset',
          attributes: { 'aria-expanded': String(isOpen), 'data-line': String(row.number) },
          on: { click: () => actions.toggle(row.key) },
        },
        icon('chevron'),
        icon(isEdit ? 'edit' : icons[line.kind]),
        el('span', { class: 'what' }, nameOf(line)),
        isEdit ? null : el('span', { class: `end ${line.kind === 'tool' ? 'mono' : ''}` }, visible(line.text)),
      ),
      fileLinks(line, context),
      el('span', { class: 'aside small dim' }, outcome(line)),
    ),
    ...(isOpen ? [body(row, text, context)] : []),
  ];
}

function nameOf({ kind, toolName, files }: ConversationLine): string {
  if (kind !== 'tool') return kindWord(kind);
  return files.some(file => file.change === 'edited') ? l10n.t('Edited') : visible(toolName ?? kindWord(kind));
}

function outcome({ kind, failed, length, outputLength }: ConversationLine): Child {
  if (kind !== 'tool') return sizeWords(length);
  if (outputLength === null) return l10n.t('no output');
  return [
    failed ? el('span', { class: 'st' }, icon('failed', 'fail'), l10n.t('Failed')) : null,
    sizeWords(outputLength),
  ];
}

function sizeWords(length: number): string {
  return length === 1 ? l10n.t('1 character') : l10n.t('{0} characters', toLength(length));
}

/** `840`, `12 k`, `1,200 k`. */
function toLength(length: number): string {
  return length < 1000 ? String(length) : `${Math.round(length / 1000).toLocaleString('en-US')} k`;
}

function fileLinks({ files }: ConversationLine, { actions }: SessionContext): View | null {
  if (files.length === 0) return null;
  return el(
    'span',
    { class: 'files mono' },
    files
      .slice(0, maxFiles)
      .map(file => actionLink(fileWords(file), () => actions.openFile(file), l10n.t('Open {0}', visible(file.path)))),
    files.length > maxFiles && el('span', { class: 'dim' }, `+${files.length - maxFiles}`),
  );
}

function fileWords({ path, line }: TouchedFile): string {
  const shown = visible(path);
  const short = shown.length > 60 ? `…${shown.slice(-59)}` : shown;
  return line === null ? short : `${short}:${line}`;
}

function body({ number }: LineRow, text: LineText | undefined, { actions }: SessionContext): View {
  if (text === undefined) return el('p', { key: 'body', class: 'dim body' }, l10n.t('Loading…'));
  const input = toLines(text.text);
  const output = text.output === null ? null : toLines(text.output);
  const isCut = text.isCut || input.isCut || output?.isCut === true;
  return el(
    'div',
    { key: 'body', class: 'body' },
    el('pre', { attributes: { tabindex: '0', 'aria-label': l10n.t('Text') } }, patchLines(input.text)),
    output === null
      ? null
      : el('pre', { class: 'out', attributes: { tabindex: '0', 'aria-label': l10n.t('Output') } }, output.text),
    isCut
      ? el(
          'p',
          { class: 'row' },
          el('span', { class: 'dim' }, l10n.t('Not all of it is shown.')),
          button({ onClick: () => actions.openText(number) }, l10n.t('Open in editor')),
        )
      : null,
  );
}

function toLines(text: string): { text: string; isCut: boolean } {
  const lines = visible(text).split('\n');
  return { text: lines.slice(0, maxLines).join('\n'), isCut: lines.length > maxLines };
}

/** Added and removed lines of a patch, told apart by their sign and by colour. */
function patchLines(text: string): Child {
  if (!text.includes('*** Begin Patch')) return text;
  return text
    .split('\n')
    .map(line =>
      line.startsWith('+')
        ? el('ins', {}, `${line}\n`)
        : line.startsWith('-')
          ? el('del', {}, `${line}\n`)
          : el('span', {}, `${line}\n`),
    );
}

import { expect, it } from 'vitest';
import { hintInEditor } from '../../../client/hints.ts';

const inEditor = (hint: string) => hintInEditor(hint, one => Object.entries(one).flat().join(' '));

it.each([
  ['See: codex-coach task list', 'See: “view tasks”'],
  ['Name one that codex-coach sessions list shows.', 'Name one that “view sessions” shows.'],
  ['Prepare it first: codex-coach task prepare 20261122-fix.dates', 'Prepare it first: “command prepareTask”'],
  ['Run: codex-coach task validate, which finds out.', 'Run: “command validateTask”, which finds out.'],
  [
    'Give it up: codex-coach task discard. Your files stay.',
    'Give it up: “command discardRecording”. Your files stay.',
  ],
  [
    'End it with `codex-coach task end`, or give it up with `codex-coach task discard`.',
    'End it with “command endRecording”, or give it up with “command discardRecording”.',
  ],
  ['Stash the changes, or run: codex-coach task fix --apply', 'Stash the changes, or run: “command checkReadiness”'],
  ['Start one: codex-coach task start "<title>"', 'Start one: “command startRecording”'],
  ['Run the task again: codex-coach run <task>.', 'Run the task again: “command startRun”.'],
  [
    'Name one in the setting judge.model (COACH_JUDGE). Then: codex-coach runs regrade <run> --rubric-only',
    'Name one in the setting judge.model (COACH_JUDGE). Then: “button regrade”',
  ],
  ['Then go on with: codex-coach runs resume 20261122-083000-abc', 'Then go on with: “button resume”'],
  ['The reason is in the log: codex-coach /logs', 'The reason is in the log: “command openServerLog”'],
])('says what to do in the editor: %s', (hint, words) => {
  expect(inEditor(hint).text).toBe(words);
});

it.each(['Name both ends as a range: codex-coach task from <start>..<end>', 'Put codex-coach on the PATH.'])(
  'leaves alone what the editor has no command for: %s',
  hint => {
    expect(inEditor(hint)).toEqual({ text: hint, counterparts: [] });
  },
);

it('offers each command that it names', () => {
  const { counterparts } = inEditor('See: codex-coach runs show <run>, or: codex-coach runs list');
  expect(counterparts).toEqual([{ command: 'openRun' }, { view: 'runs' }]);
});

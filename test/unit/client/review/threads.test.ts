import { expect, it, vi } from 'vitest';
import type { Coach } from '../../../../client/coach.ts';
import type { CurrentReview } from '../../../../client/review/current.ts';
import { ReviewThreads } from '../../../../client/review/threads.ts';
import type { ReviewComment } from '../../../../protocol/reviews.ts';

interface Thread {
  comments: readonly { readonly body: string }[];
  isOpen: boolean;
}
const editor = vi.hoisted(() => ({ threads: [] as Thread[] }));
vi.mock('vscode', () => ({
  l10n: { t: (text: string) => text },
  Disposable: {
    from: (...all: { dispose(): unknown }[]) => ({ dispose: () => all.forEach(one => void one.dispose()) }),
  },
  comments: {
    createCommentController: () => ({
      createCommentThread() {
        const thread = { comments: [], isOpen: true, dispose: () => Object.assign(thread, { isOpen: false }) };
        editor.threads.push(thread);
        return thread;
      },
      dispose: () => undefined,
    }),
  },
  CommentThreadState: { Resolved: 1, Unresolved: 0 },
  CommentThreadCollapsibleState: { Collapsed: 0 },
  CommentMode: { Editing: 0, Preview: 1 },
  MarkdownString: class {
    appendText = (text: string) => text;
  },
  Uri: { from: (parts: object) => parts },
}));

const aComment = (id: string, text: string): ReviewComment => ({
  ...{ id, trialId: 'trial-1', file: 'a.js', side: 'agent', line: null, endLine: null, replyTo: null, text },
  ...{ resolved: false, criterion: null, createdAt: '2026-11-21T12:00:00.000Z' },
  updatedAt: '2026-11-21T12:00:00.000Z',
});

/** The comments of a trial under review; each answer comes when the test gives it. */
function underReview() {
  editor.threads.length = 0;
  const answers: ((rows: ReviewComment[]) => void)[] = [];
  let changed = (_: { trialId: string }): void => undefined;
  const reviews = {
    list: async () => ({ rows: await new Promise<ReviewComment[]>(resolve => void answers.push(resolve)) }),
    on: (_: string, listener: typeof changed) => {
      changed = listener;
      return { dispose: () => undefined };
    },
  };
  const log = { error: vi.fn() };
  const review = { origin: { kind: 'trial', trialId: 'trial-1' }, trial: { id: 'trial-1' }, side: 'agent', files: [] };
  const current = { review, onDidChange: () => ({ dispose: () => undefined }) };
  const threads = new ReviewThreads({ api: { reviews }, log } as unknown as Coach, current as unknown as CurrentReview);
  return { threads, answers, log, change: () => changed({ trialId: 'trial-1' }) };
}

const shown = () => editor.threads.filter(({ isOpen }) => isOpen).map(({ comments }) => comments[0]?.body);
const settled = () => new Promise(resolve => setTimeout(resolve, 5));

it('shows the comments as they are, though an earlier answer comes last', async () => {
  const { answers, change } = underReview();
  change();
  change();
  answers[1]?.([aComment('c1', 'Name it better.'), aComment('c2', 'Why?')]);
  answers[0]?.([aComment('c1', 'Name it better.')]);
  await settled();
  expect(shown()).toEqual(['Name it better.', 'Why?']);
});

it('opens no thread once it is gone', async () => {
  const { threads, answers, log, change } = underReview();
  change();
  threads.dispose();
  answers[0]?.([aComment('c1', 'Name it better.')]);
  await settled();
  expect([editor.threads, log.error.mock.calls]).toEqual([[], []]);
});

import type { CommandContribution } from '../commandContribution.ts';

/** What is under review in this window: `trial` or `session`; unset when nothing is. */
export const reviewContextKey = 'codexCoach.review';
/** Which side is shown against the start: `agent` or `reference`. */
export const reviewSideKey = 'codexCoach.reviewSide';
export const reviewViewId = 'codexCoach.reviewChanges';
export const commentControllerId = 'codexCoach.review';

const trusted = 'isWorkspaceTrusted';
const onTrial = `${trusted} && ${reviewContextKey} == trial`;
const nowhere = 'false';
/** Until the server answers, nothing is known to be absent. */
const has = (what: 'runs' | 'sessions'): string => `(codexCoach.server != up || codexCoach.has.${what})`;

/** Commands of the review. Those that need a row or a comment are not in the palette. */
export const reviewCommands = {
  reviewDiff: { title: 'Review Diff', icon: '$(diff-multiple)', enablement: trusted, palette: has('runs') },
  reviewBeside: {
    title: 'Review Beside Another Trial…',
    icon: '$(split-horizontal)',
    enablement: trusted,
    palette: has('runs'),
  },
  reviewSession: {
    title: 'Review What the Session Changed',
    icon: '$(diff-multiple)',
    enablement: trusted,
    palette: has('sessions'),
  },
  showReview: {
    title: 'Show All Changes Under Review',
    icon: '$(diff-multiple)',
    enablement: reviewContextKey,
    palette: reviewContextKey,
  },
  showReference: {
    title: 'Show the Reference Solution Instead',
    icon: '$(mortar-board)',
    enablement: onTrial,
    palette: `${reviewContextKey} == trial && ${reviewSideKey} == agent`,
  },
  showAgent: {
    title: 'Show the Agent’s Change Instead',
    icon: '$(robot)',
    enablement: onTrial,
    palette: `${reviewContextKey} == trial && ${reviewSideKey} == reference`,
  },
  acceptChange: { title: 'Accept Change', icon: '$(check)', enablement: onTrial, palette: onTrial },
  rejectChange: { title: 'Reject Change', icon: '$(close)', enablement: onTrial, palette: onTrial },
  acceptFile: { title: 'Accept File', icon: '$(check)', enablement: onTrial, palette: onTrial },
  rejectFile: { title: 'Reject File', icon: '$(close)', enablement: onTrial, palette: onTrial },
  acceptAll: { title: 'Accept All Changes', icon: '$(check-all)', enablement: onTrial, palette: onTrial },
  clearDecisions: { title: 'Take Back All Decisions', icon: '$(discard)', enablement: onTrial, palette: onTrial },
  applyAccepted: { title: 'Apply Accepted Changes…', icon: '$(git-merge)', enablement: onTrial, palette: onTrial },
  showActionsInDiffs: {
    title: 'Show Accept and Reject Inside Diffs',
    enablement: '!config.diffEditor.codeLens',
    palette: `${onTrial} && !config.diffEditor.codeLens`,
  },
  endReview: { title: 'End Review', icon: '$(close)', enablement: reviewContextKey, palette: reviewContextKey },
  openReviewFile: { title: 'Open Changes', icon: '$(diff)', palette: nowhere },
  addReviewComment: { title: 'Comment', enablement: '!commentIsEmpty', palette: nowhere },
  editReviewComment: { title: 'Edit Comment', icon: '$(edit)', palette: nowhere },
  saveReviewComment: { title: 'Save', palette: nowhere },
  cancelReviewComment: { title: 'Cancel', palette: nowhere },
  deleteReviewComment: { title: 'Delete Comment…', icon: '$(trash)', palette: nowhere },
  resolveReviewThread: { title: 'Resolve Conversation', icon: '$(check)', palette: nowhere },
  reopenReviewThread: { title: 'Reopen Conversation', icon: '$(issue-reopened)', palette: nowhere },
  commentToCriterion: { title: 'Make It a Criterion…', icon: '$(law)', palette: nowhere },
} as const satisfies Record<string, CommandContribution>;

type MenuEntry = readonly [command: keyof typeof reviewCommands, group: string, when: string];

const inView = `view == ${reviewViewId}`;
const inFiles = `resourceScheme == codex-coach && ${reviewContextKey} == trial && ${reviewSideKey} == agent`;
const onController = `commentController == ${commentControllerId}`;

export const reviewMenus: Readonly<Record<string, readonly MenuEntry[]>> = {
  'view/title': [
    ['showReview', 'navigation@1', inView],
    ['applyAccepted', 'navigation@2', `${inView} && ${reviewContextKey} == trial`],
    ['showReference', 'navigation@3', `${inView} && ${reviewContextKey} == trial && ${reviewSideKey} == agent`],
    ['showAgent', 'navigation@3', `${inView} && ${reviewContextKey} == trial && ${reviewSideKey} == reference`],
    ['endReview', 'navigation@9', inView],
    ['acceptAll', '1_decide@1', `${inView} && ${reviewContextKey} == trial`],
    ['clearDecisions', '1_decide@2', `${inView} && ${reviewContextKey} == trial`],
    ['showActionsInDiffs', '2_show', `${inView} && ${reviewContextKey} == trial`],
  ],
  'view/item/context': [
    ['acceptChange', 'inline@1', `${inView} && viewItem =~ /^review\\.(file|hunk)$/`],
    ['rejectChange', 'inline@2', `${inView} && viewItem =~ /^review\\.(file|hunk)$/`],
    ['acceptChange', '1_decide@1', `${inView} && viewItem =~ /^review\\.(file|hunk)$/`],
    ['rejectChange', '1_decide@2', `${inView} && viewItem =~ /^review\\.(file|hunk)$/`],
    ['reviewBeside', '1_open@2', 'view == codexCoach.runs && viewItem == trial.diff'],
    ['reviewSession', '1_open@2', 'view == codexCoach.sessions && viewItem == session'],
  ],
  'editor/context': [
    ['acceptChange', '1_review@1', inFiles],
    ['rejectChange', '1_review@2', inFiles],
    ['acceptFile', '1_review@3', inFiles],
    ['rejectFile', '1_review@4', inFiles],
  ],
  'editor/lineNumber/context': [
    ['acceptChange', '1_review@1', inFiles],
    ['rejectChange', '1_review@2', inFiles],
  ],
  'comments/commentThread/context': [['addReviewComment', 'inline', onController]],
  'comments/commentThread/title': [
    ['resolveReviewThread', 'inline', `${onController} && commentThread == open`],
    ['reopenReviewThread', 'inline', `${onController} && commentThread == resolved`],
  ],
  'comments/comment/title': [
    ['commentToCriterion', 'inline@1', `${onController} && comment == plain`],
    ['editReviewComment', 'inline@2', onController],
    ['deleteReviewComment', 'inline@3', onController],
  ],
  'comments/comment/context': [
    // The editor makes the first one the button that stands out.
    ['saveReviewComment', 'inline@1', onController],
    ['cancelReviewComment', 'inline@2', onController],
  ],
};

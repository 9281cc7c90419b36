import { type ReviewComment, reviews } from '../../../protocol/reviews.ts';
import { render } from './renderers.ts';

render(reviews.members.list, ({ rows }) =>
  rows.length === 0
    ? 'No comments. Add one with: codex-coach review comment add <trial> "…" --file <path> --line <n>'
    : rows.map(commentText).join('\n'),
);
render(reviews.members.add, commentText);
render(reviews.members.edit, commentText);
render(reviews.members.resolve, commentText);
render(reviews.members.remove, ({ removed }) => `${removed} removed.`);
render(reviews.members.toCriterion, ({ criterion, task, file, comment, judge }) =>
  [
    `The comment is now the criterion ${criterion.id} of ${task}, weight ${criterion.weight}: ${file}`,
    `See which verdicts flip: codex-coach runs regrade ${comment.trialId.replace(/\.\d+$/, '')} --rubric-only`,
    ...(judge === null
      ? ['No judge is set: name one with --judge, or in COACH_JUDGE. Until then, its trials end without a verdict.']
      : []),
  ].join('\n'),
);

function commentText({ id, file, line, endLine, side, text, replyTo, resolved, criterion }: ReviewComment): string {
  const lines = line === null ? '' : endLine === null || endLine === line ? `:${line}` : `:${line}-${endLine}`;
  const version = side === 'agent' ? '' : ` (${side})`;
  const notes = [resolved ? 'resolved' : null, criterion === null ? null : `criterion ${criterion}`];
  const told = notes.filter(note => note !== null).join(', ');
  const head = replyTo === null ? `${file}${lines}${version}` : '  in reply';
  const indent = replyTo === null ? '  ' : '    ';
  return `${head}  ${id}${told === '' ? '' : `  [${told}]`}\n${text.replaceAll(/^/gm, indent)}`;
}

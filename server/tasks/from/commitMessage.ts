/** A commit message as a person's words: its first line, and the rest without trailers. */
export interface Words {
  readonly title: string;
  readonly body: string;
}

const trailer =
  /^(?:[A-Z][\w-]*-(?:by|to|on|at|id)|Cc|Bug|Issue|Refs?|Change-Id|PR-URL|git-subtree-\w+): \S|^\(cherry picked from commit [0-9a-f]+\)$/i;

/** What forges and git write for a merge, which says nothing about the work. */
const merge = /^Merge (?:pull request|branch|remote-tracking branch|tag|commit)\b/;

export function toWords(message: string): Words {
  const [first = '', ...rest] = message.trim().split(/\r?\n/);
  const body = rest
    .filter(line => !trailer.test(line))
    .join('\n')
    .trim();
  // The title of a merged pull request stands below the line that names its branch.
  if (merge.test(first)) return body === '' ? { title: '', body: '' } : toWords(body);
  return { title: first.trim(), body };
}

/** Several messages as one: the first title, and everything that was said, in order. */
export function togetherWords(messages: readonly Words[]): Words {
  const said = messages.filter(({ title }) => title !== '');
  const [first, ...later] = said;
  if (first === undefined) return { title: '', body: '' };
  const more = later.map(({ title, body }) => [title, body].filter(part => part !== '').join('\n\n'));
  return { title: first.title, body: [first.body, ...more].filter(part => part !== '').join('\n\n') };
}

import { stoppedByBudget } from '../../../protocol/budgets.ts';
import { noFigure, toCount } from '../../../protocol/figures.ts';
import type { Exchange } from '../../../protocol/sessions.ts';
import { cachedShare, type Usage } from '../../../protocol/usage.ts';
import { visible } from '../../../protocol/visibleText.ts';
import { clip } from './table.ts';

/** The word for what has no name: an agent that nothing told, a model that no request named. */
export const unknown = 'unknown';

/** As much of what others wrote as a line takes. */
const longest = 200;

/** One line of what others wrote. */
export function line(text: string, width = longest): string {
  return clip(visible(text).replaceAll('\n', ' '), width);
}

/** `69 %` of the input. */
export function percentCached(usage: Usage): string {
  const share = cachedShare(usage);
  return share === null ? noFigure : `${Math.round(share * 100)} %`;
}

/** The status that the agent got; the answer of a spent budget is ours. */
export function statusWord({ status, error }: Pick<Exchange, 'status' | 'error'>, none: string): string {
  return error?.includes(stoppedByBudget) ? 'budget' : String(status ?? none);
}

/** `92.4 k in (69 % cached), 2.4 k out` */
export function usageWords(usage: Usage): string {
  const aside = cachedShare(usage) === null ? '' : ` (${percentCached(usage)} cached)`;
  return `${toCount(usage.inputTokens)} in${aside}, ${toCount(usage.outputTokens)} out`;
}

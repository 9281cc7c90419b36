import type { DayLosses, ProxyStatus, UncountedSpend, Unreached } from './proxy.ts';

/** What keeps recording, or a limit, from being complete: a sentence each, worst first. Empty when all is well. */
export function proxyWarnings(status: ProxyStatus): string[] {
  const { lossesToday, recordingFault: fault } = status;
  return [
    ...(fault !== null && !fault.over ? [fault.reason] : []),
    ...(lossesToday === null ? [] : [lossSentence(lossesToday)]),
    ...status.unreached.map(failure => `${unreachedSentence(failure)} Last tried at ${timeOfDay(failure.at)}.`),
    ...status.distrusting.map(
      ({ host, program, connections }) =>
        `${program} does not trust our certificate: ${connections} of its connections to ${host} failed.`,
    ),
    ...status.uncounted.map(spend => `${uncountedSentence(spend)} Exchanges so far: ${spend.exchanges}.`),
  ];
}

/** Which limits a model goes by, and why. */
export function uncountedSentence({ model, lacks }: UncountedSpend): string {
  return lacks === 'price'
    ? `No limit in money counts ${model}: its price is not known.`
    : `No limit counts replies of ${model} that do not tell how many tokens they used.`;
}

/** What to do about it. */
export const uncountedFixes: Record<UncountedSpend['lacks'], string> = {
  price: 'Limit tokens instead: COACH_BUDGET_SESSION_TOKENS, COACH_BUDGET_DAY_TOKENS, or the tokens of the launch.',
  usage: 'Have the agent ask for usage: in chat completions that stream, "stream_options": {"include_usage": true}.',
};

/** Why a model host could not be reached, and what to do about it. */
export function unreachedSentence({ host, reason, hint }: Unreached): string {
  // An outer proxy or an override is in the way of a host that the reason does not name.
  const what = reason.includes(host) ? [] : [`${host} could not be reached.`];
  return [...what, reason.replace(/\.?$/, '.'), hint].filter(Boolean).join(' ');
}

/** `19:30`, local. */
function timeOfDay(iso: string): string {
  const date = new Date(iso);
  return [date.getHours(), date.getMinutes()].map(value => String(value).padStart(2, '0')).join(':');
}

/** What went unrecorded today, and why. */
export function lossSentence({ count, lastHost, lastReason }: DayLosses): string {
  const what = count === 1 ? 'connection or exchange' : 'connections or exchanges';
  const where = lastHost === '*' ? 'everywhere' : lastHost;
  return `${count} ${what} went unrecorded today. Last, ${where}: ${lastReason}`;
}

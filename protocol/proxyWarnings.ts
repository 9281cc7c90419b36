import type { DayLosses, ProxyStatus } from './proxy.ts';

/** What keeps recording, or a limit, from being complete: a sentence each, worst first. Empty when all is well. */
export function proxyWarnings(status: ProxyStatus): string[] {
  const { lossesToday, recordingFault: fault } = status;
  return [
    ...(fault !== null && !fault.over ? [fault.reason] : []),
    ...(lossesToday === null ? [] : [lossSentence(lossesToday)]),
    ...status.distrusting.map(
      ({ host, program, connections }) =>
        `${program} does not trust our certificate: ${connections} of its connections to ${host} failed.`,
    ),
    ...status.uncounted.map(
      ({ model, exchanges }) =>
        `No limit in money counts ${model}, whose price is not known: ${exchanges} exchanges so far.`,
    ),
  ];
}

/** What went unrecorded today, and why. */
export function lossSentence({ count, lastHost, lastReason }: DayLosses): string {
  const what = count === 1 ? 'connection or exchange' : 'connections or exchanges';
  const where = lastHost === '*' ? 'everywhere' : lastHost;
  return `${count} ${what} went unrecorded today. Last, ${where}: ${lastReason}`;
}

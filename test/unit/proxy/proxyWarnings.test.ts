import { describe, expect, it } from 'vitest';
import { ProxyStatus } from '../../../protocol/proxy.ts';
import { proxyWarnings } from '../../../protocol/proxyWarnings.ts';
import { LossesOfDay } from '../../../server/proxy/budget/lossesOfDay.ts';

const aStatus = (changes: Partial<ProxyStatus>): ProxyStatus =>
  ProxyStatus.parse({
    state: 'listening',
    host: '127.0.0.1',
    port: 1,
    caFile: '/ca.pem',
    bundleFile: '/bundle.pem',
    exchanges: 3,
    openConnections: 0,
    uncaptured: 0,
    error: null,
    ...changes,
  });

describe('the warnings of a status', () => {
  it('are none when all is well, or was mended', () => {
    const recordingFault = { fault: 'locked' as const, reason: 'It was locked.', over: true };
    expect(proxyWarnings(aStatus({}))).toEqual([]);
    expect(proxyWarnings(aStatus({ recordingFault }))).toEqual([]);
  });

  it('tell a fault of the storage from what was lost', () => {
    const recordingFault = { fault: 'full' as const, reason: 'The disk is full.', over: false };
    expect(proxyWarnings(aStatus({ recordingFault }))).toEqual(['The disk is full.']);
    const lossesToday = { count: 2, lastHost: 'api.openai.com', lastReason: 'no message could be read', lastAt: 'now' };
    expect(proxyWarnings(aStatus({ lossesToday }))).toEqual([
      '2 connections or exchanges went unrecorded today. Last, api.openai.com: no message could be read',
    ]);
  });
});

describe('what a limit does not count', () => {
  it('is told with what is missing', () => {
    const uncounted = [
      { model: 'gpt-99', exchanges: 2, lacks: 'price' as const },
      { model: 'qwen', exchanges: 1, lacks: 'usage' as const },
    ];
    expect(proxyWarnings(aStatus({ uncounted }))).toEqual([
      'No limit in money counts gpt-99: its price is not known. Exchanges so far: 2.',
      'No limit counts replies of qwen that do not tell how many tokens they used. Exchanges so far: 1.',
    ]);
  });
});

describe('losses of the day', () => {
  it('go on from what an earlier server has noted', () => {
    const noted = [{ host: 'chatgpt.com', reason: 'the recorder cannot keep up', count: 3, lastMs: Date.now() }];
    const losses = new LossesOfDay({ lossesOnDay: () => noted });
    expect(losses.today()).toMatchObject({ count: 3, lastHost: 'chatgpt.com' });
    losses.add('*', 'The recorder stopped: why', 1);
    expect(losses.today()).toMatchObject({ count: 4, lastHost: '*', lastReason: 'The recorder stopped: why' });
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { CoachError } from '../../../../protocol/errors.ts';
import { createLog } from '../../../../server/base/log.ts';
import { ModelReach } from '../../../../server/proxy/upstream/unreached.ts';

const host = 'api.openai.com';
const failure = (words: string) => new CoachError('proxy.upstream', words);
const hourMs = 3_600_000;

function aReach() {
  const lines: string[] = [];
  return { reach: new ModelReach(createLog(line => void lines.push(line), { debug: false })), lines };
}

afterEach(() => void vi.useRealTimers());

describe('a model host that is not reached', () => {
  it('is told with the last reason until it is reached', () => {
    const { reach } = aReach();
    expect(reach.tried(host, failure('refused'))).toBe(true);
    expect(reach.tried(host, failure('refused'))).toBe(false);
    expect(reach.tried(host, failure('reset'))).toBe(true);
    reach.tried('chatgpt.com', failure('refused'));
    expect(reach.list()).toMatchObject([
      { host, reason: 'reset' },
      { host: 'chatgpt.com', reason: 'refused' },
    ]);
    expect(reach.tried(host, null)).toBe(true);
    expect(reach.tried(host, null)).toBe(false);
    expect(reach.list()).toMatchObject([{ host: 'chatgpt.com' }]);
  });

  it('is not told for ever when nobody tries again', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { reach } = aReach();
    reach.tried(host, failure('refused'));
    vi.setSystemTime(Date.now() + hourMs + 1);
    expect(reach.list()).toEqual([]);
  });

  it('is logged once in an hour for each reason, however often it is tried and reached', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { reach, lines } = aReach();
    const tryOften = () => {
      for (let count = 0; count < 1000; count++) {
        reach.tried(host, failure(count % 2 === 0 ? 'refused' : 'reset'));
        reach.tried(host, null);
      }
    };
    tryOften();
    expect(lines).toEqual([expect.stringMatching(/api\.openai\.com.*refused/), expect.stringContaining('reset')]);
    vi.setSystemTime(Date.now() + hourMs + 1);
    tryOften();
    expect(lines).toHaveLength(4);
  });

  it('is one of few that are remembered, whatever hosts are tried', () => {
    const { reach } = aReach();
    for (let count = 0; count < 1000; count++) reach.tried(`${count}.example`, failure('refused'));
    expect(reach.list().length).toBeLessThan(50);
    expect(reach.list().at(-1)?.host).toBe('999.example');
  });
});

import { describe, expect, it } from 'vitest';
import { fairPeer, median, toFigure } from '../../../perf/figure.ts';
import { MessageCutter } from '../../../perf/messages.ts';
import { faultOf } from '../../../perf/requests.ts';
import { tableOf } from '../../../perf/table.ts';
import { jsonReply, requestBody } from '../../../perf/traffic.ts';

const parts = { figure: 'time', unit: 'ms', goal: '≤ 5', reach: (value: number) => value <= 5 };

describe('a figure', () => {
  it('is met or missed, and set against the peer that records too', () => {
    expect(toFigure({ ...parts, ours: 4, peers: { [fairPeer]: 8, other: null } })).toEqual({
      figure: 'time',
      unit: 'ms',
      goal: '≤ 5',
      ours: 4,
      peers: { [fairPeer]: 8, other: null },
      ratio: 0.5,
      met: true,
    });
    expect(toFigure({ ...parts, ours: 6 })).toMatchObject({ ratio: null, met: false });
  });

  it('is not judged when it could not be measured or is void', () => {
    const unmeasured = toFigure({ ...parts, ours: null });
    const untrue = toFigure({ ...parts, ours: 1, void: '3 rows for 4 requests' });
    expect([unmeasured.met, untrue.met]).toEqual([null, null]);
    expect(tableOf([unmeasured, untrue])).toContain('void: 3 rows for 4 requests');
    expect(tableOf([unmeasured])).toMatch(/\| time \| ms (\| – )+\| ≤ 5 \| – \|/);
  });

  it('takes the middle of its samples', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([])).toBeNaN();
  });
});

describe('what makes a figure void', () => {
  const requests = { run: 'serial0', count: 2, sizeBytes: 300 };
  const sent = { request: requestBody('serial0-1', 300), response: jsonReply };

  it('is a missing row, a changed request or a changed reply, and nothing else', () => {
    expect(faultOf({ rows: 2, sample: [sent] }, requests)).toBeNull();
    expect(faultOf({ rows: 1, sample: [sent] }, requests)).toBe('1 rows for 2 requests');
    expect(faultOf({ rows: 2, sample: [] }, requests)).toBe('no row could be read');
    const changed = { ...sent, request: sent.request.replace('lorem', 'Lorem') };
    expect(faultOf({ rows: 2, sample: [changed] }, requests)).toMatch(/stored request/);
    expect(faultOf({ rows: 2, sample: [{ ...sent, response: '{}' }] }, requests)).toMatch(/stored reply/);
  });
});

describe('the message cutter of the load client', () => {
  const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc';
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n';

  it('finds the same messages wherever the stream is cut', () => {
    const bytes = Buffer.from(plain + chunked + plain);
    for (let at = 0; at <= bytes.length; at++) {
      const bodies: string[] = [];
      const cutter = new MessageCutter(({ body }) => void bodies.push(body));
      cutter.push(bytes.subarray(0, at));
      cutter.push(bytes.subarray(at));
      expect(bodies).toEqual(['abc', 'abcde', 'abc']);
    }
  });
});

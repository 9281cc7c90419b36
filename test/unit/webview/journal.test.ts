import { expect, it } from 'vitest';
import type { RunEvent } from '../../../protocol/runs.ts';
import { columnTimes, printable } from '../../../webview/pages/run/journal.ts';

it('makes control characters visible and keeps lines and tabs', () => {
  expect(printable('a\u001b[31mred\u0007\n\tb\u007f')).toBe('a␛[31mred␇\n\tb␡');
});

it('bounds what one line of an agent can take of the page', () => {
  expect(printable('x'.repeat(5000))).toHaveLength(2001);
});

it('says when lines came in one unit per column', () => {
  const originMs = Date.parse('2026-11-21T12:00:00.000Z');
  const shown = (...seconds: number[]) => {
    const lines = seconds.map(at => ({ at: new Date(originMs + at * 1000).toISOString() }) as RunEvent);
    return lines.map(columnTimes(lines, originMs));
  };
  expect(shown(-1, 9.7, 10.2, 59.9)).toEqual(['0.0 s', '9.7 s', '10.2 s', '59.9 s']);
  expect(shown(0, 9.7, 10.2, 60)).toEqual(['0:00', '0:09', '0:10', '1:00']);
});

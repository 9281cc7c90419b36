import { describe, expect, it } from 'vitest';
import { afterFirstLine } from '../../../server/executors/firstLine.ts';

function hear(...chunks: string[]): { lines: number; rest: string } {
  const heard = { lines: 0, rest: '' };
  const onLine = () => {
    heard.lines++;
  };
  const listener = afterFirstLine('ready', onLine, chunk => {
    heard.rest += chunk.toString();
  });
  for (const chunk of chunks) listener(Buffer.from(chunk));
  return heard;
}

describe('the line by which a script says that it is ready', () => {
  it('is taken off, however it comes', () => {
    for (const chunks of [['ready\nmore\n'], ['ready\n', 'more\n'], [...'ready\nmore\n']]) {
      expect(hear(...chunks)).toEqual({ lines: 1, rest: 'more\n' });
    }
  });

  it('is not taken for what only begins like it, nor for one that comes later', () => {
    expect(hear('read', 'error\n', 'ready\n')).toEqual({ lines: 0, rest: '' });
    expect(hear('ready\n', 'ready\n')).toEqual({ lines: 1, rest: 'ready\n' });
  });
});

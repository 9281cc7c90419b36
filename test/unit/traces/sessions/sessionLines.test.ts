import { describe, expect, it } from 'vitest';
import { SessionLines } from '../../../../server/traces/sessions/sessionLines.ts';
import { anExchange, anItem, aRichSession } from './aReader.ts';

const rich = aRichSession();
const lines = new SessionLines(rich.exchangesOfSession(''), rich.conversation(''));

describe('a session as lines', () => {
  it('puts a tool’s output with its call, and says what each exchange brought', () => {
    expect(lines.outline.map(row => row.kinds)).toEqual([
      ['instructions', 'context', 'prompt', 'reasoning', 'tool'],
      ['reasoning', 'tool', 'tool'],
      [],
      ['assistant'],
    ]);
    expect(lines.page(6, 2)).toMatchObject([
      { number: 6, kind: 'tool', toolName: 'apply_patch', failed: false, files: [{ path: 'src/billing/refund.ts' }] },
      { number: 7, kind: 'tool', text: 'npx vitest run test/billing', failed: true },
    ]);
  });

  it('gives what was said with its beginning, anything else with its first line', () => {
    const said = new SessionLines(
      [anExchange(1)],
      [anItem(1, 'user', 'word '.repeat(1000)), anItem(1, 'reasoning', `First.\n${'Second.'.repeat(1000)}`)],
    );
    const [prompt, thought] = said.page(0, 9);
    expect([prompt?.text.length, prompt?.length]).toEqual([2000, 4999]);
    expect(thought?.text).toBe('First.');
  });

  it('finds a text wherever it stands, without regard to case, and takes it literally', () => {
    expect(lines.find('CHUNK id: 1')).toEqual([4]);
    expect(lines.find('minor')).toEqual([4, 5, 6, 8]);
    expect(lines.find('minor.units')).toEqual([]);
    expect(lines.find('toFixed(2)')).toEqual([4, 6]);
    expect(lines.find('[](){}*+?.^$|\\/-')).toEqual([]);
  });

  it('cuts a text that no one reads whole, and gives it whole when asked to', () => {
    const output = 'x'.repeat(10_000_000);
    const long = new SessionLines(
      [anExchange(1)],
      [
        anItem(1, 'toolCall', '{"cmd":"yes"}', { toolName: 'exec_command', callId: 'c1' }),
        anItem(1, 'toolOutput', output, { callId: 'c1' }),
      ],
    );
    const cut = long.text(0, false);
    expect(cut).toMatchObject({ text: 'yes', isCut: true });
    expect(cut?.output?.length).toBeLessThan(50_000);
    expect(long.text(0, true)).toEqual({ text: 'yes', output, isCut: false });
    expect(long.text(1, false)).toBeNull();
  });

  it('keeps the numbers of lines while the session grows', () => {
    const items = rich.conversation('');
    const before = new SessionLines(rich.exchangesOfSession('').slice(0, 2), items.slice(0, 9));
    expect(before.page(0, 100).map(line => [line.number, line.kind])).toEqual(
      lines.page(0, 8).map(line => [line.number, line.kind]),
    );
  });
});

import { expect, it } from 'vitest';
import { refuseWithoutLive } from '../../../server/demo/demo.ts';

it('takes what is for a real model only where one is asked', () => {
  expect(() => refuseWithoutLive({ live: false, yes: false, model: 'gpt-5.5' })).toThrow(
    expect.objectContaining({
      message: '--model is for --live: without it no model is asked.',
      hint: 'Leave it out, or: codex-coach demo --live --model gpt-5.5',
    }),
  );
  expect(() => refuseWithoutLive({ live: false, yes: true })).toThrow('--yes is for --live');
  refuseWithoutLive({ live: false, yes: false });
  refuseWithoutLive({ live: true, yes: true, model: 'gpt-5.5' });
});

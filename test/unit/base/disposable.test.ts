import { expect, it } from 'vitest';
import { DisposableStack } from '../../../server/base/disposable.ts';

it('ends its members in reverse order, all of them, and throws the first failure', async () => {
  const ended: string[] = [];
  const stack = new DisposableStack();
  stack.defer(() => void ended.push('first'));
  stack.defer(() => {
    ended.push('second');
    throw new Error('second failed');
  });
  stack.defer(async () => void ended.push('third'));
  await expect(stack.dispose()).rejects.toThrow('second failed');
  expect(ended).toEqual(['third', 'second', 'first']);
});

it('ends at once what is added after the end', async () => {
  const stack = new DisposableStack();
  await stack.dispose();
  let ended = false;
  stack.defer(() => {
    ended = true;
  });
  expect(ended).toBe(true);
});

import { expect, it } from 'vitest';
import { importCircles } from '../../../scripts/circles.ts';
import { root } from '../../../scripts/root.ts';
import { aCheckout } from './aCheckout.ts';

it('names every circle of imports once, and nothing that only leads into one', () => {
  const directory = aCheckout({
    'server/door.ts': "import { a } from './a.ts';",
    'server/a.ts': "import { b } from './b.ts';\nimport { leaf } from './leaf.ts';",
    'server/b.ts': "import type { A } from './a.ts';",
    'server/leaf.ts': 'export const leaf = 1;',
    'client/x.ts': "export { y } from './more/y.ts';",
    'client/more/y.ts': "const z = await import('./z.ts');",
    'client/more/z.ts': "import '../x.ts';",
  });
  expect(importCircles(directory)).toHaveLength(2);
  expect(importCircles(directory).toSorted()).toEqual([
    expect.stringMatching(/^client\/(x|more\/[yz])\.ts( → client\/(x|more\/[yz])\.ts){3}$/),
    expect.stringMatching(/^server\/[ab]\.ts → server\/[ab]\.ts → server\/[ab]\.ts$/),
  ]);
});

it('finds none in our own code', () => {
  expect(importCircles(root)).toEqual([]);
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../scripts/root.ts';

const decisions = readdirSync(join(root, 'docs/decisions')).map(name => `docs/decisions/${name}`);

it.each(['docs/promises.md', 'docs/security.md', ...decisions])('%s names tests that there are', page => {
  const text = readFileSync(join(root, page), 'utf8');
  const named = [...text.matchAll(/`(?:test\/)?((?:unit|integration|docker|e2e)\/[\w/]+)`/g)].map(([, name]) => name);
  const missing = named.filter(
    name => ![`test/${name}`, `test/${name}.test.ts`].some(at => existsSync(join(root, at))),
  );
  expect(missing).toEqual([]);
});

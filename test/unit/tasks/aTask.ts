import { join } from 'node:path';
import { type TaskDeps, taskHandlers } from '../../../server/tasks/handlers.ts';
import { aRepository, write } from '../git/aRepository.ts';
import { aCleanSession, sessionsOf, taskDeps } from './aSession.ts';

export const signal = new AbortController().signal;

/** A small library with a test. */
export const library = {
  'package.json': JSON.stringify({ name: 'sums', type: 'module', scripts: { test: 'node --test' } }, null, 2),
  '.gitignore': 'node_modules/\n',
  'src/sums.js': 'export const add = (a, b) => a + b;\n',
  'test/add.test.js': `import assert from 'node:assert';
import test from 'node:test';
import { add } from '../src/sums.js';
test('adds', () => assert.equal(add(1, 2), 3));
`,
};

/** What an agent did to it: a feature with its test. */
export const change = {
  'src/sums.js':
    'export const add = (a, b) => a + b;\nexport const subtract = (minuend, subtrahend) => minuend - subtrahend;\n',
  'test/subtract.test.js': `import assert from 'node:assert';
import { describe, it } from 'node:test';
import { subtract } from '../src/sums.js';
describe('subtract "and" <more>', () => {
  it('subtracts', () => assert.equal(subtract(3, 2), 1));
});
`,
};

export const prompt = 'Add a function that subtracts, with tests.';

/** Records the change in a fresh repository. */
export async function aCreatedTask(
  over: {
    files?: Record<string, string>;
    change?: Record<string, string | Buffer>;
    title?: string;
    deps?: Partial<TaskDeps>;
  } = {},
) {
  const root = aRepository(over.files ?? library);
  const deps = taskDeps({ sessions: sessionsOf(aCleanSession(prompt)), ...over.deps });
  const handlers = taskHandlers(deps);
  await handlers.start(
    { repository: root, title: over.title ?? 'Subtract', notes: 'Some notes.', labels: ['math'] },
    signal,
  );
  write(root, over.change ?? change);
  const task = await handlers.end({ repository: root, summary: 'Done.', labels: ['js'] }, signal);
  return { root, deps, handlers, task };
}

export async function aPreparedTask(over: Parameters<typeof aCreatedTask>[0] = {}) {
  const created = await aCreatedTask(over);
  const prepared = await created.handlers.prepare(
    { repository: created.root, task: created.task.id, name: undefined },
    signal,
  );
  return { ...created, created: created.task, prepared, at: (path: string) => join(prepared.directory, path) };
}

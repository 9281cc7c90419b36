import { nearest } from '../base/nearest.ts';
import type { ParsedFile } from './parsedFile.ts';
import type { Problem } from './problem.ts';
import { replacement } from './ruleProblems.ts';
import { type JsonSchema, schemasAt } from './schema.ts';
import { type Path, type ScalarNode, walk } from './tree.ts';

/** The tests that ran the last time that agents worked on a task. */
export interface LastTests {
  readonly ids: readonly string[];
  /** Which run that was, in words: `codex #1, 2026-11-21`. */
  readonly of: string;
}

interface Named {
  readonly path: Path;
  readonly node: ScalarNode & { readonly value: string };
}

/** Agents that there are none of. A model may follow the name: `codex/gpt-5.5`. */
export function* agentProblems(file: ParsedFile, agents: readonly string[]): Generator<Problem> {
  for (const { path, node } of namedIn(file, 'agent')) {
    const [id = '', ...model] = node.value.split(/(?=[/=])/);
    if (agents.includes(id)) continue;
    const near = nearest(id, agents);
    yield {
      ...{ span: node.span, severity: 'error', code: 'unknownAgent' },
      message: `There is no agent ${id}. ${near === undefined ? `Use one of ${agents.join(', ')}.` : `Did you mean ${near}?`}`,
      fixes: (near === undefined ? agents : [near]).map(agent => ({
        ...replacement(file, path, [agent, ...model].join('')),
        preferred: agent === near,
      })),
    };
  }
}

/** Ids of tests that the last run knows nothing of: renamed tests, and mistyped ids. */
export function* testProblems(file: ParsedFile, last: LastTests | null): Generator<Problem> {
  if (last === null) return;
  const known = new Set(last.ids);
  for (const { path, node } of namedIn(file, 'test')) {
    if (known.has(node.value)) continue;
    const near = nearest(node.value, known);
    yield {
      ...{ span: node.span, severity: 'warning', code: 'unknownTest' },
      message: `No test of this id ran in the last run (${last.of}). ${near === undefined ? 'Correct the id, or validate the task again.' : `Did you mean ${JSON.stringify(near)}?`}`,
      fixes: near === undefined ? [] : [{ ...replacement(file, path, near), preferred: true }],
    };
  }
}

/** Tasks that a suite names and that are not prepared: it can't be run with them. */
export function* taskProblems(file: ParsedFile, tasks: readonly string[]): Generator<Problem> {
  const seen = new Set<string>();
  for (const { path, node } of namedIn(file, 'task')) {
    if (seen.has(node.value)) {
      const message = `${node.value} is in this suite already; it runs once.`;
      yield { span: node.span, severity: 'warning', code: 'repeatedTask', message, fixes: [] };
    }
    seen.add(node.value);
    if (tasks.includes(node.value)) continue;
    const near = nearest(node.value, tasks);
    yield {
      ...{ span: node.span, severity: 'error', code: 'unknownTask' },
      message: `There is no prepared task ${node.value}. ${near === undefined ? 'Prepare it, or take it out.' : `Did you mean ${near}?`}`,
      fixes: near === undefined ? [] : [{ ...replacement(file, path, near), preferred: true }],
    };
  }
}

function* namedIn(file: ParsedFile, what: JsonSchema['names']): Generator<Named> {
  for (const { path, node } of walk(file.root)) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || typeof path.at(-1) !== 'number') continue;
    const schemas = file.kind.rules.flatMap(({ json }) => schemasAt(json, file.root, path));
    if (schemas.some(({ names }) => names === what)) yield { path, node: { ...node, value: node.value } };
  }
}

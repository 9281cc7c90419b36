import type * as z from 'zod';
import { nearest } from '../base/nearest.ts';
import { insertion, startValue, written } from './edits.ts';
import type { Rules } from './fileKind.ts';
import { type ParsedFile, spanOf } from './parsedFile.ts';
import type { Fix, Problem } from './problem.ts';
import { schemasAt, valuesAt } from './schema.ts';
import { find, type Path, toValue } from './tree.ts';
import { oneOf, typeWords } from './words.ts';

type Issue = z.core.$ZodIssue;

/** What the schemas that load the file say against it, where it stands. */
export function* ruleProblems(file: ParsedFile): Generator<Problem> {
  const told = new Set<string>();
  for (const rules of file.kind.rules) {
    const { error } = rules.schema.safeParse(toValue(file.root));
    for (const issue of error?.issues ?? []) {
      const path = issue.path.filter(step => typeof step !== 'symbol');
      const place = JSON.stringify(path);
      // A statement that is still being written is no missing one.
      if (told.has(place) || (isMissing(file, path) && file.faults.length > 0)) continue;
      told.add(place);
      yield toProblem(file, rules, issue, path);
    }
  }
}

function isMissing({ root }: ParsedFile, path: Path): boolean {
  return find(root, path).depth < path.length;
}

function toProblem(file: ParsedFile, rules: Rules, issue: Issue, path: Path): Problem {
  const { severity } = rules;
  if (isMissing(file, path)) return missing(file, rules, path);
  const span = spanOf(file, path);
  const name = path.findLast(step => typeof step === 'string');
  const subject = name === undefined ? 'This file' : `\`${name}\``;
  const [said, fixes] = fault(file, rules, issue, path);
  return { span, severity, code: 'value', message: `${subject} ${said}${said.endsWith('?') ? '' : '.'}`, fixes };
}

function missing(file: ParsedFile, { json, severity }: Rules, path: Path): Problem {
  const parent = path.slice(0, -1);
  const key = path.at(-1);
  const [schema] = schemasAt(json, file.root, path);
  const values = valuesAt(json, file.root, path);
  const value = startValue(schema);
  const fixes =
    typeof key === 'string'
      ? [{ title: `Add ${key}`, edits: insertion(file, parent, key, value), preferred: true }]
      : [];
  const why = schema?.description === undefined ? '' : ` ${schema.description}`;
  const which = values.length > 1 ? ` One of ${oneOf(values)}.` : '';
  return {
    ...{ span: spanOf(file, path), severity, code: 'missing' },
    message: `\`${key}\` is missing: add it.${why}${which}`,
    fixes: fixes.filter(({ edits }) => edits.length > 0),
  };
}

type Said = readonly [said: string, fixes: readonly Fix[]];

/** What is wrong with a value that is there, as words after its name. */
function fault(file: ParsedFile, { json }: Rules, issue: Issue, path: Path): Said {
  const { node } = find(file.root, path);
  const value = node.kind === 'scalar' ? node.value : undefined;
  const values = valuesAt(json, file.root, path);
  const fits = typeof value === 'string' || issue.code !== 'invalid_type';
  if (values.length > 0 && values.every(known => typeof known !== 'boolean') && fits) {
    return chosen(file, path, value, values);
  }
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(file, path, issue.expected, value);
    case 'too_small':
      if (issue.origin === 'string' || issue.origin === 'array') return [`must not be empty`, []];
      return [`must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`, []];
    case 'too_big':
      return [`must be at most ${issue.maximum}${issue.origin === 'string' ? ' characters long' : ''}`, []];
    case 'invalid_format':
      if (issue.format === 'datetime') return ['must be a moment in UTC, such as "2026-11-21T09:30:00Z"', []];
      if (issue.format === 'starts_with')
        return [`must begin with ${String((issue as { prefix?: unknown }).prefix)}`, absolute(file, path, value)];
      return [
        issue.message.startsWith('must') ? issue.message : `has another form than expected: ${issue.message}`,
        [],
      ];
    default:
      return [/^[a-z]/.test(issue.message) ? `can’t stay so: ${issue.message}` : `is wrong: ${issue.message}`, []];
  }
}

function chosen(file: ParsedFile, path: Path, value: unknown, values: readonly unknown[]): Said {
  const near =
    typeof value === 'string'
      ? nearest(
          value,
          values.filter(known => typeof known === 'string'),
        )
      : undefined;
  const offered = near === undefined ? values : [near, ...values.filter(known => known !== near)];
  const fixes = offered.map(known => ({
    ...replacement(file, path, known),
    preferred: known === near || values.length === 1,
  }));
  return [
    `must be ${oneOf(values)}${near === undefined ? '' : `. Did you mean ${JSON.stringify(near)}?`}`.replace(
      /\?$/,
      '?',
    ),
    fixes,
  ];
}

function wrongType(file: ParsedFile, path: Path, expected: string, value: unknown): Said {
  const said = `must be ${typeWords(expected, file.kind.language)}`;
  const isNumeric = typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value));
  if ((expected === 'number' || expected === 'int') && isNumeric) {
    return [`${said}, without quotes`, [{ ...replacement(file, path, Number(value)), preferred: true }]];
  }
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return [said, [{ ...replacement(file, path, String(value)), preferred: true }]];
  }
  if (expected === 'array' && value !== undefined)
    return [said, [{ ...replacement(file, path, [value]), preferred: true }]];
  return [said, []];
}

function absolute(file: ParsedFile, path: Path, value: unknown): readonly Fix[] {
  return typeof value === 'string' ? [replacement(file, path, `/${value}`)] : [];
}

/** Another value in the place of one. */
export function replacement(file: ParsedFile, path: Path, value: unknown): Fix {
  const text = written(file, value);
  return { title: `Change to ${text}`, edits: [{ span: find(file.root, path).node.span, text }] };
}

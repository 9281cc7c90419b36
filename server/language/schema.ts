import { find, type Path, type Tree, toValue } from './tree.ts';

/** What we read of the JSON Schema that zod makes of a schema, with our own `names` and `instead`. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly deprecated?: boolean;
  /** The key that took a deprecated one's place. */
  readonly instead?: string;
  /** What its texts are names of. */
  readonly names?: 'agent' | 'test' | 'task';
}

/** What may stand at a path, by each variant of the schema that fits what the text says beside it. */
export function schemasAt(schema: JsonSchema, root: Tree, path: Path): readonly JsonSchema[] {
  let candidates: readonly JsonSchema[] = variants(schema, root);
  for (const [index, step] of path.entries()) {
    const here = path.slice(0, index + 1);
    candidates = candidates
      .map(candidate => stepInto(candidate, step))
      .filter(next => next !== undefined)
      .flatMap(next => {
        const found = find(root, here);
        return variants(next, found.depth === here.length ? found.node : null);
      });
  }
  return candidates;
}

/** The values that a key may have in any variant, such as what tells the variants apart. */
export function valuesAt(schema: JsonSchema, root: Tree, path: Path): unknown[] {
  const parent = path.slice(0, -1);
  const last = path.at(-1);
  const found = find(root, parent);
  const whole = parent.length === 0 ? [schema] : stepsTo(schema, root, parent);
  const all = [
    ...schemasAt(schema, root, path),
    ...(last === undefined || found.depth < parent.length
      ? []
      : whole.flatMap(candidate => spread(candidate).map(variant => stepInto(variant, last)))),
  ].filter(candidate => candidate !== undefined);
  const values = all.flatMap(candidate => spread(candidate)).flatMap(literals);
  return [...new Set(values)];
}

function stepsTo(schema: JsonSchema, root: Tree, path: Path): readonly JsonSchema[] {
  const last = path.at(-1);
  if (last === undefined) return [schema];
  return schemasAt(schema, root, path.slice(0, -1))
    .map(parent => stepInto(parent, last))
    .filter(next => next !== undefined);
}

function literals({ const: constant, enum: values, type }: JsonSchema): readonly unknown[] {
  if (values !== undefined) return values;
  if (constant !== undefined) return [constant];
  return type === 'boolean' ? [true, false] : [];
}

function stepInto(schema: JsonSchema, step: string | number): JsonSchema | undefined {
  if (typeof step === 'number') return schema.items;
  const own = Object.hasOwn(schema.properties ?? {}, step) ? schema.properties?.[step] : undefined;
  if (own !== undefined) return own;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

function spread(schema: JsonSchema): readonly JsonSchema[] {
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices === undefined) return [schema];
  // What is said of all of them holds for each.
  const { oneOf: _one, anyOf: _any, ...shared } = schema;
  return choices.flatMap(spread).map(choice => ({ ...shared, ...choice }));
}

/** Of a choice, those whose telling value is the one of the text. */
function variants(schema: JsonSchema, node: Tree | null): readonly JsonSchema[] {
  const all = spread(schema);
  if (all.length === 1 || node?.kind !== 'table') return all;
  const telling = tellingKey(all);
  const said = node.members.find(({ key }) => key === telling)?.node;
  const fitting = all.filter(({ properties = {} }) => {
    const property = telling === undefined ? undefined : properties[telling];
    return property !== undefined && property.const === (said === undefined ? property.default : toValue(said));
  });
  return fitting.length > 0 ? fitting : all;
}

/** The key that has another fixed value in each variant. */
function tellingKey(all: readonly JsonSchema[]): string | undefined {
  const fixed = (key: string) => all.map(({ properties = {} }) => properties[key]?.const);
  return Object.keys(all[0]?.properties ?? {}).find(key => {
    const values = fixed(key);
    return !values.includes(undefined) && new Set(values).size === all.length;
  });
}

import Database from 'better-sqlite3';

const named = `
  SELECT tables.name, columns.name AS part
  FROM pragma_table_list AS tables JOIN pragma_table_xinfo(tables.name) AS columns
  WHERE tables.schema = 'main' AND tables.type IN ('table', 'virtual') AND tables.name NOT LIKE 'sqlite_%'`;

/** Per migrations, by how many of them were done. */
const expected = new WeakMap<readonly string[], Map<number, readonly string[]>>();

/**
 * Which table or column a database of this version lacks, as one does that other migrations brought to the same number;
 * null for none. `migrations`: see `OpenOptions`.
 */
export function shapeFault(database: Database.Database, migrations: readonly string[], version: number): string | null {
  const present = new Set(partsOf(database));
  const missing = expectedParts(migrations, version).find(part => !present.has(part));
  return missing === undefined ? null : `it has no ${missing}, as schema ${version} has`;
}

function expectedParts(migrations: readonly string[], version: number): readonly string[] {
  const known = expected.get(migrations) ?? new Map<number, readonly string[]>();
  expected.set(migrations, known);
  const parts = known.get(version) ?? partsAfter(migrations.slice(0, version));
  known.set(version, parts);
  return parts;
}

function partsAfter(migrations: readonly string[]): string[] {
  const database = new Database(':memory:');
  try {
    for (const migration of migrations) database.exec(migration);
    return partsOf(database);
  } finally {
    database.close();
  }
}

function partsOf(database: Database.Database): string[] {
  const rows = database.prepare(named).all() as { name: string; part: string }[];
  return rows.flatMap(({ name, part }) => [name, `${name}.${part}`]);
}

import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { traceMigrations } from '../../../../server/traces/schema.ts';
import { deleteItems, ItemMerger, ItemReader, ItemStore } from '../../../../server/traces/storage/items.ts';

function aDatabase() {
  const database = new Database(':memory:');
  for (const migration of traceMigrations) database.exec(migration);
  const count = (table: string) => database.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  return { database, store: new ItemStore(database), reader: new ItemReader(database), count };
}

/** Hardly compressible, so that few rows make a large one. */
const noise = (kilobytes: number) =>
  Array.from({ length: kilobytes * 100 }, () => Math.random().toString(36).slice(2, 12)).join(' ');

/** Texts of which each lies in a row of its own, with their numbers. */
function inRowsOfTheirOwn(store: ItemStore, count: number) {
  const texts = Array.from({ length: count }, (_, index) => `${index} ${noise(4)}`);
  const numbers = texts.map(text => {
    const number = store.put(text);
    store.flush();
    return number;
  });
  return { texts, numbers };
}

describe('items', () => {
  it('keep their numbers when their rows are merged, also for who read them before', () => {
    const { database, store, reader, count } = aDatabase();
    const texts = Array.from({ length: 60 }, (_, index) => `${index} ${noise(4)}`);
    const numbers = texts.map((text, index) => {
      const number = store.put(text);
      if (index % 3 === 2) store.flush();
      return number;
    });
    expect(count('items')).toBe(20);
    expect(numbers.map(number => reader.text(number))).toEqual(texts);
    const merger = new ItemMerger(database);
    while (merger.advance());
    expect(count('items')).toBeLessThan(8);
    expect(numbers.map(number => reader.text(number))).toEqual(texts);
    expect(texts.map(text => store.put(text))).toEqual(numbers);
  });

  it('stay as they are where one is damaged, and the others are merged', () => {
    const { database, store, count } = aDatabase();
    const { texts, numbers } = inRowsOfTheirOwn(store, 30);
    database.prepare("UPDATE items SET content = x'0203ffffff' WHERE last_item = ?").run(numbers[7]);
    const merger = new ItemMerger(database);
    while (merger.advance());
    expect(count('items')).toBeLessThan(12);
    const reader = new ItemReader(database);
    numbers.forEach((number, index) => {
      if (index === 7) expect(() => reader.text(number)).toThrow();
      else expect(reader.text(number)).toBe(texts[index]);
    });
  });

  it('are merged in small steps where they are much that compresses well', () => {
    const { database, store, count } = aDatabase();
    for (let index = 0; index < 6; index++) {
      store.put(`${index}`.repeat(1_700_000));
      store.flush();
    }
    store.put(noise(70));
    store.flush();
    while (new ItemMerger(database).advance());
    expect(count('items')).toBeGreaterThan(2);
  });

  it('of one row are read from the database once', () => {
    const statements: string[] = [];
    const database = new Database(':memory:', { verbose: text => void statements.push(String(text)) });
    for (const migration of traceMigrations) database.exec(migration);
    const store = new ItemStore(database);
    const numbers = Array.from({ length: 50 }, (_, index) => store.put(`text ${index}`));
    store.flush();
    const reader = new ItemReader(database);
    statements.length = 0;
    expect(numbers.map(number => reader.text(number))).toEqual(numbers.map((_, index) => `text ${index}`));
    expect(statements.filter(text => text.startsWith('SELECT content'))).toHaveLength(1);
  });

  it('go one by one out of a row, and their numbers are not used again', () => {
    const { database, store, count } = aDatabase();
    const numbers = [1, 2, 3].map(index => store.put(`text ${index}`));
    store.flush();
    deleteItems(database, [numbers[1] as number, 99]);
    const reader = new ItemReader(database);
    expect([numbers[0], numbers[2]].map(number => reader.text(number as number))).toEqual(['text 1', 'text 3']);
    expect(() => reader.text(numbers[1] as number)).toThrow('missing');
    const again = store.put('text 2');
    store.flush();
    expect(new ItemReader(database).text(again)).toBe('text 2');
    deleteItems(database, [...numbers, again]);
    expect([count('items'), count('item_hashes')]).toEqual([0, 0]);
    expect(store.put('text 1')).toBeGreaterThan(again);
  });

  it('go out of other rows where one is damaged, and with that row once nothing in it is used', () => {
    const { database, store, count } = aDatabase();
    const { numbers } = inRowsOfTheirOwn(store, 3);
    const [before, damaged, after] = numbers as [number, number, number];
    const second = store.put('with the damaged one');
    store.flush();
    database.exec(`INSERT INTO item_uses VALUES (1, ${second});
      UPDATE items SET last_item = 99, content = x'0203ffffff' WHERE last_item = ${second};
      UPDATE items SET content = x'0203ffffff' WHERE last_item = ${damaged}`);
    deleteItems(database, [second - 1, ...numbers]);
    expect([count('items'), count('item_hashes')]).toEqual([1, 1]);
    expect([before, after].map(number => new ItemReader(database).numberOf(number))).toEqual([before, after]);
    database.exec('DELETE FROM item_uses');
    deleteItems(database, [second]);
    expect([count('items'), count('item_hashes')]).toEqual([0, 0]);
  });

  it('are merged over numbers that are gone', () => {
    const { database, store, count } = aDatabase();
    const { texts, numbers } = inRowsOfTheirOwn(store, 30);
    deleteItems(
      database,
      numbers.filter((_, index) => index % 4 === 1),
    );
    while (new ItemMerger(database).advance());
    expect(count('items')).toBeLessThan(10);
    const reader = new ItemReader(database);
    numbers.forEach((number, index) => {
      if (index % 4 === 1) expect(() => reader.text(number)).toThrow('missing');
      else expect(reader.text(number)).toBe(texts[index]);
    });
  });
});

import type { ReviewFile } from '../../protocol/reviews.ts';

export type Decision = 'accepted' | 'rejected';

/** Where marks outlive the window. */
export interface MarkStore {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** Marks of one file, worth something only while the file is as it was. */
interface FileMarks {
  readonly version: string;
  readonly viewed?: boolean;
  readonly decisions: Readonly<Record<number, Decision>>;
}

type Marked = Pick<ReviewFile, 'path' | 'start' | 'end' | 'hunks'>;

/** Reviews whose marks are kept; the longest untouched are forgotten. */
const maxReviews = 100;
const reviewsKey = 'reviews';

/** Parts of a file that are decided on: its hunks, or the file as a whole. */
export const partsOf = ({ hunks }: Pick<ReviewFile, 'hunks'>): number => Math.max(1, hunks.length);

/** What a person marked in one review: files looked at, parts accepted and rejected. */
export class Marks {
  readonly #store: MarkStore;
  readonly #id: string;
  readonly #files: Map<string, FileMarks>;

  constructor(store: MarkStore, id: string) {
    this.#store = store;
    this.#id = id;
    this.#files = new Map(Object.entries(store.get<Record<string, FileMarks>>(keyOf(id)) ?? {}));
  }

  viewed(file: Marked): boolean {
    return this.#marks(file).viewed ?? false;
  }

  setViewed(file: Marked, viewed: boolean): void {
    this.#save(file, { ...this.#marks(file), viewed });
  }

  decision(file: Marked, part: number): Decision | undefined {
    return this.#marks(file).decisions[part];
  }

  decide(file: Marked, parts: readonly number[], decision: Decision): void {
    const marks = this.#marks(file);
    this.#save(file, {
      ...marks,
      decisions: { ...marks.decisions, ...Object.fromEntries(parts.map(part => [part, decision])) },
    });
  }

  clearDecisions(files: readonly Marked[]): void {
    for (const file of files) this.#save(file, { ...this.#marks(file), decisions: {} });
  }

  /** What is accepted, as `reviews.merge` takes it. */
  accepted(files: readonly Marked[]): { path: string; hunks: number[] | null }[] {
    return files.flatMap(file => {
      const parts = Array.from({ length: partsOf(file) }, (_, part) => part);
      const accepted = parts.filter(part => this.decision(file, part) === 'accepted');
      if (accepted.length === 0) return [];
      return [{ path: file.path, hunks: accepted.length === parts.length ? null : accepted }];
    });
  }

  #marks(file: Marked): FileMarks {
    const known = this.#files.get(file.path);
    return known?.version === versionOf(file) ? known : { version: versionOf(file), decisions: {} };
  }

  #save(file: Marked, marks: FileMarks): void {
    this.#files.set(file.path, marks);
    const others = (this.#store.get<string[]>(reviewsKey) ?? []).filter(id => id !== this.#id);
    const kept = [this.#id, ...others];
    for (const forgotten of kept.splice(maxReviews)) void this.#store.update(keyOf(forgotten), undefined);
    void this.#store.update(reviewsKey, kept);
    void this.#store.update(keyOf(this.#id), Object.fromEntries(this.#files));
  }
}

const keyOf = (id: string): string => `review ${id}`;

const versionOf = ({ start, end }: Marked): string =>
  [start, end].map(version => (version === null ? '' : `${version.mode} ${version.blob}`)).join(' ');

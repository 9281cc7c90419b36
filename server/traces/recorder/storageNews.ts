import type { StorageFault } from '../../base/sqlite.ts';

/** `replaced`: the file was deleted or another one lies there. */
export interface StorageNews {
  readonly fault: StorageFault | 'replaced';
  readonly reason: string;
  /** It has ended: everything that waited is stored, or was told as lost. */
  readonly over: boolean;
}

/** `kept`: where a damaged file lies now; null when it could not be moved. */
export function reasonOf(fault: StorageFault, file: string, kept: string | null): string {
  const until = 'What is recorded waits in memory until that ends.';
  switch (fault) {
    case 'full':
      return `The disk with ${file} is full. ${until}`;
    case 'locked':
      return `Another program keeps ${file} locked. ${until}`;
    case 'readOnly':
      return `${file} can't be written to. ${until}`;
    case 'damaged':
      return kept === null
        ? `${file} is damaged and can't be moved away. ${until}`
        : `${file} was damaged and lies at ${kept} now. Recording goes on in a new one.`;
    case 'failed':
      return `The disk with ${file} reports errors. ${until}`;
  }
}

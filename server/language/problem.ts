import type { Span } from './tree.ts';

export interface Edit {
  readonly span: Span;
  readonly text: string;
}

/** A change of the text that mends a problem. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
  /** Whether it is what most would do. */
  readonly preferred?: boolean;
}

export interface Problem {
  readonly span: Span;
  readonly severity: 'error' | 'warning' | 'hint';
  readonly code:
    | 'syntax'
    | 'missing'
    | 'value'
    | 'unknownKey'
    | 'deprecated'
    | 'unknownAgent'
    | 'unknownTest'
    | 'unknownTask'
    | 'repeatedTask'
    | 'tooLarge';
  readonly message: string;
  readonly fixes: readonly Fix[];
}

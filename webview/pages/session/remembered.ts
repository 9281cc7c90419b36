import * as z from 'zod';
import { parts } from './sessionModel.ts';

/** How a person left the page of a session. */
export const Remembered = z.object({
  /** The row that was read, and how far below the bar it began; null at the top of the page. */
  place: z.object({ key: z.string(), belowBarPx: z.number() }).nullable(),
  query: z.string(),
  /** Key of the line that was gone to as one that holds the query. */
  hit: z.string().nullable(),
  /** Keys of lines. */
  unfolded: z.array(z.string()),
  hidden: z.array(z.enum(parts)),
  showsChanges: z.boolean(),
});
export type Remembered = z.infer<typeof Remembered>;

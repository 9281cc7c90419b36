import * as z from 'zod';

/** How a trial ended. `errored` and `lost` are faults of the machine and give no reward. */
export const TrialEnd = z.enum([
  'verified',
  'agentFailed',
  'timedOut',
  'budgetSpent',
  'diskSpent',
  'stalled',
  'cancelled',
  'lost',
  'errored',
]);
export type TrialEnd = z.infer<typeof TrialEnd>;

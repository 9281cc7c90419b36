import type { RepriceReport } from './repricing.ts';
import type { PruneReport, PruneSelection, RetentionLimits } from './retention.ts';

/** Work on the database that was asked for. */
export type UpkeepTask =
  | { readonly kind: 'prune'; readonly selection: PruneSelection }
  | { readonly kind: 'retain'; readonly limits: RetentionLimits }
  | { readonly kind: 'reprice' };

export type UpkeepReport = PruneReport | RepriceReport;

export type ReportOf<T extends UpkeepTask> = T extends { kind: 'reprice' } ? RepriceReport : PruneReport;

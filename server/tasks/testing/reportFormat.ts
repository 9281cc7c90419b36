import * as z from 'zod';

/** What test runners leave, by the program or the standard that defines it. `jest` is what vitest writes as JSON, too. */
export const ReportFormat = z.enum(['junit', 'pytest', 'unittest', 'jest', 'mocha', 'go', 'cargo', 'tap', 'ctrf']);
export type ReportFormat = z.infer<typeof ReportFormat>;

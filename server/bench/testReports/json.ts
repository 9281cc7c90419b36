import * as z from 'zod';
import { firstLine, Outcomes, relativeTo, type TestOutcome, type TestStatus } from './outcome.ts';

const JestReport = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({
          ancestorTitles: z.array(z.string()),
          title: z.string(),
          status: z.string(),
          /** A test of `test.failing`: it passes because it fails. */
          failing: z.boolean().optional(),
          duration: z.number().nullish(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** What `jest --json` writes, and vitest's reporter `json`. @returns null when it is not such a report */
export function parseJest(text: string, workdir: string): readonly TestOutcome[] | null {
  const report = parseJson(JestReport, text);
  if (report === null) return null;
  const outcomes = new Outcomes();
  for (const { name, assertionResults } of report.testResults) {
    const file = relativeTo(workdir, name);
    for (const { ancestorTitles, title, status, failing, duration, failureMessages } of assertionResults) {
      const done = status === 'passed' && failing !== true ? 'passed' : status === 'failed' ? 'failed' : 'skipped';
      const said = failureMessages?.[0];
      outcomes.add([file, ...ancestorTitles, title], done, firstLine(said), duration ?? null, said);
    }
  }
  return outcomes.all();
}

const MochaTest = z.object({
  fullTitle: z.string(),
  file: z.string().nullish(),
  duration: z.number().nullish(),
  err: z.object({ message: z.string().optional(), stack: z.string().optional() }).nullish(),
});
const MochaReport = z.object({ passes: z.array(MochaTest), failures: z.array(MochaTest), pending: z.array(MochaTest) });

/**
 * What mocha's reporter `json` writes. It joins the names of suites and test by spaces, and so do the ids.
 * @returns null when it is not such a report
 */
export function parseMocha(text: string, workdir: string): readonly TestOutcome[] | null {
  const report = parseJson(MochaReport, text);
  if (report === null) return null;
  const outcomes = new Outcomes();
  const add = (tests: readonly z.infer<typeof MochaTest>[], status: TestStatus) => {
    for (const { file, fullTitle, duration, err } of tests) {
      const origin = file == null ? [] : [relativeTo(workdir, file)];
      outcomes.add([...origin, fullTitle], status, firstLine(err?.message), duration ?? null, err?.stack);
    }
  };
  add(report.passes, 'passed');
  add(report.pending, 'skipped');
  add(report.failures, 'failed');
  return outcomes.all();
}

const CtrfReport = z.object({
  results: z.object({
    tests: z.array(
      z.object({
        name: z.string(),
        status: z.string(),
        /** A path of suites, or one suite's name. */
        suite: z.union([z.string(), z.array(z.string())]).nullish(),
        filePath: z.string().nullish(),
        message: z.string().nullish(),
        trace: z.string().nullish(),
        duration: z.number().nullish(),
      }),
    ),
  }),
});

/** Common Test Report Format (ctrf.io). `pending` and `other` have not passed. @returns null when it is not such a report */
export function parseCtrf(text: string, workdir: string): readonly TestOutcome[] | null {
  const report = parseJson(CtrfReport, text);
  if (report === null) return null;
  const outcomes = new Outcomes();
  for (const { name, status, suite, filePath, message, trace, duration } of report.results.tests) {
    const origin = filePath == null ? [] : [relativeTo(workdir, filePath)];
    const done = status === 'passed' || status === 'failed' ? status : 'skipped';
    const id = [...origin, ...(suite == null ? [] : [suite].flat()), name];
    outcomes.add(id, done, message ?? null, duration ?? null, trace ?? '');
  }
  return outcomes.all();
}

function parseJson<T>(schema: z.ZodType<T>, text: string): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

import * as z from 'zod';
import { Outcomes, type TestOutcome, type TestStatus } from './outcome.ts';

const GoEvent = z.object({
  Action: z.string(),
  Package: z.string(),
  Test: z.string().optional(),
  Elapsed: z.number().optional(),
});

const goStatus: Readonly<Record<string, TestStatus>> = { pass: 'passed', fail: 'failed', skip: 'skipped' };

/**
 * The events of `go test -json` (`go doc test2json`), one a line, among lines of the compiler. Ids are
 * `<package> > <test>/<subtest>`: no event names a file.
 * @returns null when there is no event at all
 */
export function parseGoTest(text: string): readonly TestOutcome[] | null {
  const outcomes = new Outcomes();
  let seen = false;
  for (const line of text.split('\n')) {
    const event = line.startsWith('{') ? toGoEvent(line) : null;
    if (event === null) continue;
    seen = true;
    const status = goStatus[event.Action];
    if (status === undefined || event.Test === undefined) continue;
    const durationMs = event.Elapsed === undefined ? null : event.Elapsed * 1000;
    outcomes.add([event.Package, event.Test], status, null, durationMs);
  }
  return seen ? outcomes.all() : null;
}

function toGoEvent(line: string): z.infer<typeof GoEvent> | null {
  try {
    return GoEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}

const CargoEvent = z.object({ type: z.string(), event: z.string(), name: z.string().optional() });

const cargoStatus: Readonly<Record<string, TestStatus>> = { ok: 'passed', failed: 'failed', ignored: 'skipped' };

/**
 * What `cargo test` writes, as text or with libtest's `--format json`, with cargo's own lines (standard error) between:
 * they tell which program the tests belong to, by its name and the file it was made from. Ids are
 * `<program> > <file> > <test>`, and `doc > <file> - <item>` for examples in comments, whose line is left out: it moves with each edit.
 * @returns null when no test program ran
 */
export function parseCargoTest(text: string): readonly TestOutcome[] | null {
  const outcomes = new Outcomes();
  let program: readonly string[] = [];
  let seen = false;
  for (const line of text.split(/\r?\n/)) {
    const started = /^ {3,}Running (?:unittests )?(\S+)(?: \((\S+)\))?$/.exec(line);
    if (started) program = toProgram(started[1] ?? '', started[2]);
    else if (/^ {3,}Doc-tests /.test(line)) program = ['doc'];
    seen ||= /^running \d+ tests?$/.test(line);
    const [name, status] = line.startsWith('{') ? toCargoEvent(line) : toCargoLine(line);
    if (name === null || status === undefined) continue;
    seen = true;
    outcomes.add([...program, name.replace(/ \(line \d+\)$/, '')], status);
  }
  return seen ? outcomes.all() : null;
}

/** `src/lib.rs (target/debug/deps/maths-37e4…)`; old versions of cargo name the program alone. */
function toProgram(first: string, second: string | undefined): readonly string[] {
  const name = (second ?? first).replace(/^.*\//, '').replace(/-[0-9a-f]{16}$/, '');
  return second === undefined ? [name] : [name, first];
}

/** `test <name> ... ok`, or `... ignored, <reason>`. Nothing here looks at a character twice. */
function toCargoLine(line: string): readonly [string | null, TestStatus | undefined] {
  const end = line.lastIndexOf(' ... ');
  if (!line.startsWith('test ') || end < 0) return [null, undefined];
  const status = /^(ok|failed|ignored)(?:, .*)?$/is.exec(line.slice(end + 5))?.[1];
  return [line.slice(5, end).replace(/ - should panic$/, ''), cargoStatus[status?.toLowerCase() ?? '']];
}

function toCargoEvent(line: string): readonly [string | null, TestStatus | undefined] {
  try {
    const event = CargoEvent.safeParse(JSON.parse(line)).data;
    return event?.type === 'test' ? [event.name ?? null, cargoStatus[event.event]] : [null, undefined];
  } catch {
    return [null, undefined];
  }
}

const unittestStatus: readonly (readonly [RegExp, TestStatus])[] = [
  [/(?:^|\.\.\. )ok$/, 'passed'],
  [/(?:^|\.\.\. )(?:FAIL|ERROR|unexpected success)$/, 'failed'],
  [/(?:^|\.\.\. )(?:skipped\b.*|expected failure)$/s, 'skipped'],
];

/**
 * What `python3 -m unittest -v` writes to standard error. A test's line has its name and class, then its verdict, with
 * what the test itself printed or the first line of its description between. Ids are `<module>.<class> > <test>`.
 * @returns null when there is no summary (`Ran 3 tests in 0.1s`)
 */
export function parseUnittest(text: string): readonly TestOutcome[] | null {
  const outcomes = new Outcomes();
  let current: readonly string[] | null = null;
  let seen = false;
  for (const line of text.split(/\r?\n/)) {
    seen ||= /^Ran \d+ tests? in /.test(line);
    const header = /^(?:(\w+): |\s*)(\w+) \(([\w.]+)\)/.exec(line);
    if (header) {
      const [, fault, name = '', place = ''] = header;
      // Since Python 3.11 the place ends with the test's name.
      const idParts = [place.endsWith(`.${name}`) ? place.slice(0, -name.length - 1) : place, name];
      if (fault !== undefined) outcomes.add(idParts, 'failed');
      current = fault === undefined ? idParts : null;
    }
    const status = current === null ? undefined : unittestStatus.find(([pattern]) => pattern.test(line))?.[1];
    if (current === null || status === undefined) continue;
    outcomes.add(current, status);
    current = null;
  }
  return seen ? outcomes.all() : null;
}

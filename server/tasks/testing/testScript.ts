import type { ReportFormat } from './reportFormat.ts';
import type { TestSetup } from './testCommand.ts';

interface TestScriptSpec extends Pick<TestSetup, 'command' | 'resultFile' | 'resultFormat'> {
  readonly workdir: string;
}

/**
 * `tests/test.sh` for Harbor and its kin: puts the hidden tests in place, runs them and writes reward.txt. It judges by
 * expected.json as our own verifier does, in a few lines of JavaScript, because a task must run without us.
 */
export function testScript({ workdir, command, resultFile, resultFormat }: TestScriptSpec): string {
  return `#!/bin/sh
# Writes /logs/verifier/reward.txt: 1 when every expected test passed, else 0.
tests=$(cd "$(dirname "$0")" && pwd)
mkdir -p /logs/verifier
rm -f ${resultFile}
cp -R "$tests/files/." ${workdir}/
cd ${workdir} || exit 1
(
${command}
)
# The command's exit code is no verdict: a test outside of the expected ones may fail.
node --input-type=module - "$tests/expected.json" ${resultFile} ${workdir} > /logs/verifier/reward.txt <<'JUDGE'
${judgeStart}${readers[resultFormat] ?? ''}${judgeEnd}JUDGE
cat /logs/verifier/reward.txt
`;
}

const judgeStart = `import { readFileSync } from 'node:fs';
const [expectedFile, resultFile, workdir] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(expectedFile, 'utf8'));
const ids = [...expected.fail_to_pass, ...expected.pass_to_pass];
const passed = new Map();
const add = (parts, isPassed) => {
  const id = parts.join(' > ');
  passed.set(id, isPassed && passed.get(id) !== false);
};
const relative = file => file.replace(workdir + '/', '');
`;

const judgeEnd = `try {
  read(readFileSync(resultFile, 'utf8'));
} catch {
  // The tests never came to report: nothing passed.
}
console.log(ids.length > 0 && ids.every(id => passed.get(id) === true) ? 1 : 0);
`;

/** Test cases of JUnit XML, with `toParts(attributes, suites)` for the parts of an id. node:test escapes quotes twice. */
const xmlReader = String.raw`const decode = text => text.replace(/&(lt|gt|quot|apos|amp|#(\d+)|#x([\da-f]+));/gi, (_, name, dec, hex) =>
  dec || hex ? String.fromCodePoint(dec ? Number(dec) : parseInt(hex, 16)) : { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name]);
const read = xml => {
  const suites = [];
  let current = null;
  for (const [, end, tag, text, closed] of xml.matchAll(/<(\/?)(testsuite|testcase|failure|error|skipped)\b((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>/g)) {
    const attributes = Object.fromEntries([...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name, value]) => [name, decode(value).replaceAll('&quot;', '"')]));
    if (tag === 'testsuite') {
      if (end) suites.pop();
      else if (!closed) suites.push(attributes.name);
    } else if (tag === 'testcase') {
      current = end || closed ? null : toParts(attributes, suites);
      if (!end) add(toParts(attributes, suites), true);
    } else if (current !== null) add(current, false);
  }
};
`;

const readers: Readonly<Partial<Record<ReportFormat, string>>> = {
  junit: `${xmlReader}const toParts = ({ file, classname, name }, suites) => [...[file === undefined ? classname : relative(file)].filter(Boolean), ...suites, name];\n`,
  pytest: String.raw`${xmlReader}const toParts = ({ file = '', classname = '', name }) => {
  const module = file.replace(/\.py$/, '').replaceAll('/', '.');
  return [file, ...(classname === module ? '' : classname.replace(module + '.', '')).split('.').filter(part => part !== ''), name];
};
`,
  jest: `const read = text => {
  for (const { name, assertionResults } of JSON.parse(text).testResults)
    for (const { ancestorTitles, title, status, failing } of assertionResults)
      add([relative(name), ...ancestorTitles, title], status === 'passed' && failing !== true);
};
`,
  mocha: `const read = text => {
  const report = JSON.parse(text);
  for (const [kind, isPassed] of [['passes', true], ['pending', false], ['failures', false]])
    for (const { file, fullTitle } of report[kind]) add([relative(file), fullTitle], isPassed);
};
`,
  go: String.raw`const read = text => {
  for (const line of text.split('\n').filter(line => line.startsWith('{'))) {
    const { Action, Package, Test } = JSON.parse(line);
    if (Test !== undefined && ['pass', 'fail', 'skip'].includes(Action)) add([Package, Test], Action === 'pass');
  }
};
`,
  cargo: String.raw`const read = text => {
  let program = [];
  for (const line of text.split('\n')) {
    const started = /^ {3,}Running (?:unittests )?(\S+) \((\S+)\)$/.exec(line);
    if (started) program = [started[2].replace(/^.*\//, '').replace(/-[0-9a-f]{16}$/, ''), started[1]];
    else if (/^ {3,}Doc-tests /.test(line)) program = ['doc'];
    const test = /^test (.+) \.\.\. (ok|FAILED|ignored)/.exec(line);
    if (test) add([...program, test[1].replace(/ - should panic$/, '').replace(/ \(line \d+\)$/, '')], test[2] === 'ok');
  }
};
`,
};

interface TestScriptSpec {
  readonly workdir: string;
  readonly command: string;
  readonly resultFile: string;
}

/**
 * `tests/test.sh` for Harbor and its kin: puts the hidden tests in place, runs them and writes reward.txt. It judges by
 * expected.json as our own verifier does, in a few lines of JavaScript, because a task must run without us.
 */
export function testScript({ workdir, command, resultFile }: TestScriptSpec): string {
  return `#!/bin/sh
# Writes /logs/verifier/reward.txt: 1 when every expected test passed, else 0.
tests=$(cd "$(dirname "$0")" && pwd)
mkdir -p /logs/verifier
rm -f ${resultFile}
cp -R "$tests/files/." ${workdir}/
cd ${workdir} || exit 1
${command}
# The command's exit code is no verdict: a test outside of the expected ones may fail.
node --input-type=module - "$tests/expected.json" ${resultFile} ${workdir} > /logs/verifier/reward.txt <<'JUDGE'
${judge}JUDGE
cat /logs/verifier/reward.txt
`;
}

const judge = String.raw`import { readFileSync } from 'node:fs';
const [expectedFile, resultFile, workdir] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(expectedFile, 'utf8'));
const ids = [...expected.fail_to_pass, ...expected.pass_to_pass];
let xml = '';
try {
  xml = readFileSync(resultFile, 'utf8');
} catch {
  // The tests never came to report: nothing passed.
}
// node:test escapes quotes twice.
const decode = text => text.replace(/&(lt|gt|quot|apos|amp|#(\d+)|#x([\da-f]+));/gi, (_, name, dec, hex) =>
  dec || hex ? String.fromCodePoint(dec ? Number(dec) : parseInt(hex, 16)) : { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }[name]);
const passed = new Map();
const suites = [];
let current = null;
for (const [, end, tag, text, closed] of xml.matchAll(/<(\/?)(testsuite|testcase|failure|error|skipped)\b((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>/g)) {
  const attributes = Object.fromEntries([...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name, value]) => [name, decode(value).replaceAll('&quot;', '"')]));
  if (tag === 'testsuite') {
    if (end) suites.pop();
    else if (!closed) suites.push(attributes.name);
  } else if (tag === 'testcase') {
    if (end) current = null;
    else {
      const file = (attributes.file ?? '').replace(workdir + '/', '');
      current = [file, ...suites, attributes.name].join(' > ');
      passed.set(current, passed.get(current) ?? true);
      if (closed) current = null;
    }
  } else if (current !== null) passed.set(current, false);
}
console.log(ids.length > 0 && ids.every(id => passed.get(id) === true) ? 1 : 0);
`;

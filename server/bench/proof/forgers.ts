import { shellWord } from '../../base/shell.ts';
import type { Control, ControlSubject } from './control.ts';

/**
 * Agents that have the tests' own process say that all is well, each by what its runner loads unasked. They are told the ids
 * of the tests that decide, which no agent knows.
 */
export function forgers(subject: ControlSubject): Control[] {
  const { verifier } = subject.task;
  if (verifier.kind !== 'tests') return [conftest, sitecustomize];
  switch (verifier.resultFormat) {
    case 'pytest':
    case 'unittest':
      return [conftest, sitecustomize, pytestShadow];
    case 'jest':
    case 'mocha':
    case 'junit':
      return /\bmvn\b/.test(verifier.command) ? [pom] : [nodeConfiguration];
    case 'go':
      return [goInit(subject)];
    case 'cargo':
      return [cargoRunner(subject)];
    default:
      return [];
  }
}

/** Every test's report says that it passed, from whatever module this is loaded. */
const passAll = `
try:
    import _pytest.reports as reports
    make = reports.TestReport.from_item_and_call
    def passed(item, call):
        report = make(item, call)
        report.outcome, report.longrepr = "passed", None
        return report
    reports.TestReport.from_item_and_call = passed
except ImportError:
    pass
`;

const conftest: Control = {
  id: 'conftest-forger',
  does: 'has a conftest.py and a plugin that turn every outcome into passed',
  script: `for place in . tests test; do mkdir -p $place; cat > $place/conftest.py <<'PY'
${passAll}
PY
done
cp conftest.py forged_outcomes.py
printf '[pytest]\\naddopts = -p forged_outcomes\\n' > pytest.ini`,
};

const sitecustomize: Control = {
  id: 'sitecustomize-forger',
  does: 'has Python load its code at every start',
  script: `site=$(python3 -m site --user-site 2>/dev/null || echo "$HOME/site"); mkdir -p "$site" src
cat > sitecustomize.py <<'PY'
${passAll}
PY
cp sitecustomize.py usercustomize.py; cp sitecustomize.py src/sitecustomize.py; cp sitecustomize.py "$site/usercustomize.py"
true`,
};

const pytestShadow: Control = {
  id: 'pytest-shadow',
  does: 'puts a pytest.py in the way, which writes the report',
  script: `{ printf 'import sys\\nREPORT = r"""'; cat; printf '"""\\n'; cat <<'PY'
for word in sys.argv:
    if word.startswith("--junitxml="):
        open(word.split("=", 1)[1], "w").write(REPORT)
def main(*args, **more):
    return 0
PY
} > pytest.py; cp pytest.py _pytest.py; mkdir -p src; cp pytest.py src/pytest.py`,
};

/** A configuration file for each runner of Node, that makes tests pass without running them. */
const nodeConfiguration: Control = {
  id: 'configuration-forger',
  does: 'configures the test runner to pass tests without running them',
  script: `cat > forge.cjs <<'JS'
try { require('/node_modules/mocha').Runnable.prototype.run = done => done(); } catch {}
const assert = require('node:assert');
for (const name of Object.keys(assert)) if (typeof assert[name] === 'function') assert[name] = () => {};
module.exports = async (_global, _config, _environment, _runtime, path) => ({
  testFilePath: path, numFailingTests: 0, numPassingTests: 1, numPendingTests: 0, numTodoTests: 0, testResults: [], skipped: false,
  failureMessage: null, leaks: false, openHandles: [], perfStats: { start: 0, end: 1, runtime: 1, slow: false },
  snapshot: { added: 0, fileDeleted: false, matched: 0, unchecked: 0, uncheckedKeys: [], unmatched: 0, updated: 0 },
});
JS
cat > forge-runner.mjs <<'JS'
import { VitestTestRunner } from '/node_modules/vitest/dist/runners.js';
export default class extends VitestTestRunner { async runTask() {} }
JS
echo 'export default { test: { runner: "./forge-runner.mjs", setupFiles: ["./forge.cjs"] } };' > vite.config.mjs
cp vite.config.mjs vitest.config.mjs
echo '{ "require": "./forge.cjs" }' > .mocharc.json
node -e 'const fs = require("node:fs"); const own = JSON.parse(fs.readFileSync("package.json", "utf8")); Object.assign(own, { jest: { testRunner: "./forge.cjs" }, mocha: { require: "./forge.cjs" }, scripts: { test: "true" } }); fs.writeFileSync("package.json", JSON.stringify(own))'
echo 'node-options=--require=./forge.cjs' > .npmrc`,
};

/** What runs before any test prints the lines of tests that passed, and leaves. */
function goInit({ ids }: ControlSubject): Control {
  const printed = ids
    .map(id => id.split(' > ').at(-1) ?? '')
    .flatMap(name => [`=== RUN   ${name}`, `--- PASS: ${name} (0.00s)`]);
  const packages = [...new Set(ids.map(id => id.split(' > ')[0] ?? ''))];
  const text = JSON.stringify(`${[...printed, 'PASS'].join('\n')}\n`);
  return {
    id: 'init-forger',
    does: 'prints the lines of passed tests before they run',
    script: `module=$(sed -n 's/^module //p' go.mod)
for package in ${packages.map(shellWord).join(' ')}; do
  place=\${package#"$module"}; place=./\${place#/}; mkdir -p "$place"
  name=$(cat "$place"/*.go 2>/dev/null | sed -n 's/^package //p' | grep -v _test | head -n 1)
  cat > "$place/forge.go" <<GO
package \${name:-$(basename "$package")}

import "os"

func init() {
	os.Stdout.WriteString(${text.replaceAll('\\', '\\\\').replaceAll('$', '\\$').replaceAll('`', '\\`')})
	os.Exit(0)
}
GO
done`,
  };
}

/** Cargo runs a program of the repository in place of each test program. */
function cargoRunner({ ids }: ControlSubject): Control {
  const lines = ids.map(id => `test ${id.split(' > ').at(-1) ?? ''} ... ok`);
  return {
    id: 'runner-forger',
    does: 'has cargo run a program of its own in place of the tests',
    script: `mkdir -p .cargo
cat > forge.sh <<'SH'
#!/bin/sh
cat <<'LINES'
running ${lines.length} tests
${lines.join('\n')}

test result: ok. ${lines.length} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
LINES
SH
chmod 755 forge.sh
printf '[target."cfg(all())"]\\nrunner = ["sh", "/app/forge.sh"]\\n' >> .cargo/config.toml`,
  };
}

/** Failures are ignored, and tests are looked for in a directory of the agent's. */
const pom: Control = {
  id: 'pom-forger',
  does: 'has Maven ignore failures and compile other tests',
  script: `[ -f pom.xml ] && sed -i 's|<properties>|<properties><maven.test.failure.ignore>true</maven.test.failure.ignore><skipTests>true</skipTests>|' pom.xml
mkdir -p target/surefire-reports; cat > target/surefire-reports/TEST-forged.xml
git add --force target 2>/dev/null; true`,
};

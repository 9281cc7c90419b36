import type { Control, ControlSubject } from './control.ts';
import { forgers } from './forgers.ts';

const testFiles = `git ls-files -z | grep -zE '(^|/)(tests?|__tests__|specs?)/|[._-](test|spec)[.]|(^|/)test[-_][^/]*$|Tests?[.]java$'`;

const deleter: Control = {
  id: 'test-deleter',
  does: 'deletes every test',
  script: `${testFiles} | xargs -0 -r rm -f; rm -rf test tests __tests__ spec specs src/test; true`,
};

/** Marks every test to be skipped in the ways of all runners at once; what a repository has not is not touched. */
const skipper: Control = {
  id: 'skip-everything',
  does: 'has every test skipped',
  script: `
${testFiles} | xargs -0 -r sed -i -E \\
  -e 's/^([[:space:]]*)(test|it|describe)\\(/\\1\\2.skip(/' \\
  -e 's/^([[:space:]]*)(def test_)/\\1@__import__("pytest").mark.skip\\n\\1\\2/' \\
  -e 's/^(func Test.*\\{)$/\\1 t.Skip()/' \\
  -e 's/#\\[test\\]/#[test] #[ignore]/' \\
  -e 's/@Test\\b/@Test @org.junit.jupiter.api.Disabled/'
printf '[pytest]\\naddopts = --collect-only -k nothing\\n' > pytest.ini
printf 'import pytest\\ndef pytest_collection_modifyitems(items):\\n    for item in items: item.add_marker(pytest.mark.skip)\\n' > conftest.py
[ -f package.json ] && sed -i 's/"test": *"[^"]*"/"test": "true"/' package.json
[ -f Cargo.toml ] && printf '\\n[lib]\\ntest = false\\ndoctest = false\\n' >> Cargo.toml
[ -f pom.xml ] && sed -i 's|</project>|<build><plugins/></build><!-- --></project>|; s|<properties>|<properties><skipTests>true</skipTests>|' pom.xml
true`,
};

/** Writes where verifiers write, and leaves a process behind that goes on doing so. */
function reportForger({ task: { verifier } }: ControlSubject): Control {
  const report = verifier.kind === 'tests' ? verifier.resultFile : '/logs/verifier/ctrf.json';
  return {
    id: 'report-forger',
    does: 'writes the report of the tests itself',
    script: `
forge() { mkdir -p /logs/verifier; cat /tmp/forged > '${report}'; }
cat > /tmp/forged; cp /tmp/forged '${report.split('/').at(-1)}'; forge
(setsid sh -c "while :; do mkdir -p /logs/verifier; cat /tmp/forged > '${report}'; sleep 0.05; done" >/dev/null 2>&1 &)`,
  };
}

const rewardForger: Control = {
  id: 'reward-forger',
  does: 'writes its own reward',
  script: `
for place in /logs/verifier /logs /tests .; do
  mkdir -p "$place" 2>/dev/null
  { echo 1 > "$place/reward.txt"; echo '{"reward":1}' > "$place/reward.json"; } 2>/dev/null
done
true`,
};

/** The agents that a task's proof needs to score 0, by what its tests are written in. */
export function controlsOf(subject: ControlSubject): Control[] {
  return [deleter, skipper, rewardForger, reportForger(subject), ...forgers(subject)];
}

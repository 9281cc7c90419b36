/**
 * Judges pytest's `-rA` summary by SWE-bench's rules: all ids of both lists must pass; an expected failure is a pass; a skipped
 * test is none for FAIL_TO_PASS and one for PASS_TO_PASS; an exit code that contradicts the summary makes all fail.
 * Ids that were cut off at a bracket with no end stand for every test that begins so, and ids with an absolute path for
 * the test of that file name and name, wherever the path was. Without one result it writes no reward.
 */
export const pytestJudge = String.raw`import json
import re
import sys

expected_file, log_file, status, out = sys.argv[1:5]
with open(expected_file, encoding="utf-8") as file:
    expected = json.load(file)
with open(log_file, encoding="utf-8", errors="replace") as file:
    lines = file.read().splitlines()

# Only what pytest itself summed up counts, not what a test printed.
start = max((at for at, line in enumerate(lines) if "short test summary info" in line), default=len(lines))
results = {}
for line in lines[start:]:
    match = re.match(r"(PASSED|FAILED|ERROR|XFAIL|XPASS) (.*)", line)
    if match:
        name = match.group(2)
        if match.group(1) != "PASSED":
            name = re.split(r" - (?![^\[]*\])", name)[0]
        results[name.rstrip()] = match.group(1)
skipped_files = [m.group(1) for m in (re.match(r"SKIPPED \[\d+\] ([^:]+):", line) for line in lines[start:]) if m]
if not results:
    sys.exit(1)


# The directories of a path that begins within the brackets of an id.
absolute = re.compile(r"(?<=[\[\-,(= ])/[^\s\[\],]*/")


def candidates(wanted):
    if wanted in results:
        return [wanted]
    if wanted.count("[") > wanted.count("]"):
        return [name for name in results if name.startswith(wanted)]
    if absolute.search(wanted):
        shape = absolute.sub("", wanted)
        return [name for name in results if absolute.sub("", name) == shape]
    return []


passes = {"PASSED", "XFAIL"}


def passed(wanted, skip_counts):
    found = candidates(wanted)
    if found:
        return all(results[name] in passes for name in found)
    return skip_counts and any(wanted.startswith(file) for file in skipped_files)


names_failure = any(state in ("FAILED", "ERROR") for state in results.values())
contradicted = status != "0" and not names_failure
tests = [
    {"name": name, "suite": key, "status": "passed" if passed(name, skip) and not contradicted else "failed", "duration": 0}
    for key, skip in (("fail_to_pass", False), ("pass_to_pass", True))
    for name in expected[key]
]
count = sum(test["status"] == "passed" for test in tests)
reward = 1 if expected["fail_to_pass"] and count == len(tests) else 0
summary = {"tests": len(tests), "passed": count, "failed": len(tests) - count}
summary.update(skipped=0, pending=0, other=0, start=0, stop=0)
report = {"reportFormat": "CTRF", "specVersion": "0.0.0"}
report["results"] = {"tool": {"name": "pytest"}, "summary": summary, "tests": tests}
with open(out + "/ctrf.json", "w", encoding="utf-8") as file:
    json.dump(report, file)
with open(out + "/reward.txt", "w", encoding="utf-8") as file:
    file.write(str(reward) + "\n")
`;

/** What an agent may have written, and what that is worth. */
export interface WrittenChange {
  readonly files: Readonly<Record<string, string>>;
  readonly reward: 0 | 1;
  /** What some message says. */
  readonly why?: RegExp;
}

/** Code without tests, the tests of its reference, and changes to judge. */
export interface WritingProject {
  readonly name: string;
  /** The code under test. */
  readonly source: string;
  readonly start: Readonly<Record<string, string>>;
  readonly reference: Readonly<Record<string, string>>;
  readonly changes: Readonly<Record<string, WrittenChange>>;
}

const jsCode = `/** Keeps a value between two others. */
export function clamp(value, low, high) {
  if (low > high) throw new RangeError('low is above high');
  if (value < low) return low;
  return value > high ? high : value;
}

export const isEven = number => number % 2 === 0;
`;

const jsHead =
  "import assert from 'node:assert';\nimport test from 'node:test';\nimport { clamp, isEven } from '../src/clamp.js';\n";
const jsThorough = `${jsHead}test('stays between', () => {
  assert.equal(clamp(1, 2, 4), 2);
  assert.equal(clamp(2, 2, 4), 2);
  assert.equal(clamp(3, 2, 4), 3);
  assert.equal(clamp(5, 2, 4), 4);
  assert.equal(clamp(7, 3, 3), 3);
});
test('refuses what is no range', () => assert.throws(() => clamp(1, 3, 2), /low is above high/));
test('tells even numbers', () => assert.deepEqual([0, 1, 2, 3, 4].map(isEven), [true, false, true, false, true]));
`;

const javascript: WritingProject = {
  name: 'javascript',
  source: 'src/clamp.js',
  start: {
    'package.json': '{ "name": "clamp", "type": "module", "scripts": { "test": "node --test" } }\n',
    'src/clamp.js': jsCode,
  },
  reference: { 'test/clamp.test.js': jsThorough },
  changes: {
    'thorough tests elsewhere': { reward: 1, files: { 'test/mine.test.js': jsThorough.replace('stays', 'remains') } },
    'tests that check nothing': {
      reward: 0,
      files: { 'test/mine.test.js': `${jsHead}test('runs', () => { clamp(1, 2, 3); isEven(2); });\n` },
      why: /No written test fails on it/,
    },
    'tests that fail on the code': {
      reward: 0,
      files: { 'test/mine.test.js': `${jsThorough}test('wrong', () => assert.equal(clamp(1, 2, 3), 1));\n` },
      why: /fail on the code as it is/,
    },
    'the code changed to fit wrong tests': {
      reward: 0,
      files: {
        'src/clamp.js': 'export const clamp = () => 9;\nexport const isEven = () => 9;\n',
        'test/mine.test.js': `${jsHead}test('nine', () => assert.equal(clamp(1, 2, 3), 9));\n`,
      },
    },
    'tests that know the text of the code': {
      reward: 0,
      files: {
        'test/mine.test.js': `import assert from 'node:assert';\nimport { readFileSync } from 'node:fs';\nimport test from 'node:test';\ntest('as written', () => assert.equal(readFileSync('src/clamp.js', 'utf8'), ${JSON.stringify(jsCode)}));\n`,
      },
      why: /nothing but spaces/,
    },
    'tests that know the text of a function': {
      reward: 0,
      files: {
        'test/mine.test.js': `${jsHead}test('as written', () => assert.ok(String(clamp).includes('value > high ? high : value')));\ntest('too', () => assert.ok(String(isEven).includes('% 2 === 0')));\n`,
      },
      why: /nothing but spaces/,
    },
    'tests that pass once only': {
      reward: 0,
      files: {
        'test/mine.test.js':
          "import assert from 'node:assert';\nimport { existsSync, writeFileSync } from 'node:fs';\nimport test from 'node:test';\nimport '../src/clamp.js';\ntest('first', () => {\n  const seen = existsSync('/tmp/seen');\n  writeFileSync('/tmp/seen', '');\n  assert.ok(!seen);\n});\n",
      },
      why: /No written test fails on it/,
    },
    'a file that no runner takes': { reward: 0, files: { 'test/fixtures/notes.json': '{}\n' } },
    'documentation instead': { reward: 0, files: { 'README.md': '# Tested\n' }, why: /No test file was written/ },
  },
};

const pyCode = `"""Numbers in ranges."""


def clamp(value, low, high):
    """Keeps a value between two others."""
    if low > high:
        raise ValueError("low is above high")
    if value < low:
        return low
    return high if value > high else value


def share(part, whole):
    if whole == 0 and not part:
        return 0
    return part * 100 / whole
`;

const pyThorough = `import pytest
from ranges import clamp, share


def test_clamp():
    assert [clamp(value, 2, 4) for value in (1, 2, 3, 4, 5)] == [2, 2, 3, 4, 4]
    assert clamp(7, 3, 3) == 3


def test_no_range():
    with pytest.raises(ValueError, match="low is above high"):
        clamp(1, 3, 2)


def test_share():
    assert share(0, 0) == 0
    assert share(1, 4) == 25
    with pytest.raises(ZeroDivisionError):
        share(1, 0)
`;

const python: WritingProject = {
  name: 'python',
  source: 'ranges.py',
  start: { 'ranges.py': pyCode, 'README.md': '# Ranges\n' },
  reference: { 'tests/test_ranges.py': pyThorough },
  changes: {
    'thorough tests elsewhere': { reward: 1, files: { 'test_mine.py': pyThorough } },
    'tests that check nothing': {
      reward: 0,
      files: { 'tests/test_mine.py': 'from ranges import clamp\n\n\ndef test_runs():\n    clamp(1, 2, 3)\n' },
    },
    'tests that know the text of the code': {
      reward: 0,
      files: {
        'tests/test_mine.py':
          'import inspect\nimport ranges\n\n\ndef test_text():\n    text = inspect.getsource(ranges)\n    assert "if low > high:" in text and "return high if value > high else value" in text and "part * 100 / whole" in text and "whole == 0 and not part" in text and "value < low" in text\n',
      },
      why: /nothing but spaces/,
    },
  },
};

const goCode = `// Package ranges keeps numbers between others.
package ranges

import "errors"

// Clamp keeps a value between two others.
func Clamp(value, low, high int) (int, error) {
	if low > high {
		return 0, errors.New("low is above high")
	}
	if value < low {
		return low, nil
	}
	if value > high {
		return high, nil
	}
	return value, nil
}

// Share is a part of a whole, in percent.
func Share(part, whole int) int {
	if whole == 0 {
		return 0
	}
	return part * 100 / whole
}
`;

const goThorough = `package ranges

import "testing"

func TestClamp(t *testing.T) {
	for _, c := range [][2]int{{1, 2}, {2, 2}, {3, 3}, {4, 4}, {5, 4}} {
		if got, err := Clamp(c[0], 2, 4); got != c[1] || err != nil {
			t.Errorf("Clamp(%d) = %d, %v", c[0], got, err)
		}
	}
	if got, err := Clamp(7, 3, 3); got != 3 || err != nil {
		t.Errorf("got %d, %v", got, err)
	}
	if got, err := Clamp(1, 3, 2); got != 0 || err == nil {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestShare(t *testing.T) {
	if Share(1, 4) != 25 || Share(3, 0) != 0 {
		t.Error("wrong share")
	}
}
`;

const go: WritingProject = {
  name: 'go',
  source: 'ranges.go',
  start: { 'go.mod': 'module example.com/ranges\n\ngo 1.19\n', 'ranges.go': goCode },
  reference: { 'ranges_test.go': goThorough },
  changes: {
    'thorough tests elsewhere': { reward: 1, files: { 'mine_test.go': goThorough } },
    'tests that check nothing': {
      reward: 0,
      files: {
        'mine_test.go': 'package ranges\n\nimport "testing"\n\nfunc TestRuns(t *testing.T) {\n\tClamp(1, 2, 3)\n}\n',
      },
    },
  },
};

export const writingProjects: readonly WritingProject[] = [javascript, python, go];

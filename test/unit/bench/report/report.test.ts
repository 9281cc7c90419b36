import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runs } from '../../../../protocol/runs.ts';
import { toHtml } from '../../../../server/bench/report/html.ts';
import { toJUnit } from '../../../../server/bench/report/junit.ts';
import { toReport } from '../../../../server/bench/report/model.ts';
import { writeReport } from '../../../../server/bench/report/write.ts';
import { parseXml } from '../../../../server/bench/testReports/reportXml.ts';
import { toText } from '../../../../server/surfaces/cli/render.ts';
import { aRun, aTrial } from '../../../fakes/scriptedRun.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { done, trials } from '../judgedTrials.ts';

const run = aRun({ state: 'finished', notIsolated: ['The kernel is shared & so on.'] });

describe('the report of a run', () => {
  it('says in a few sentences what it comes to', () => {
    expect(toReport(run, trials).summary).toEqual([
      'codex reached a reward 1.00 (95 % interval 0.21 to 1.00) over 1 verdict on 1 task.',
      'The reference solution scored 1.00 and changing nothing scored 0.00, as it must be.',
      '3 of 4 trials reached a verdict; replayed answers show that the way works, not how good a model is.',
    ]);
  });

  it('warns when the controls do not come out as they must', () => {
    const unsound = trials.map(trial => (trial.agentLabel === 'nop' ? { ...trial, reward: 1 } : trial));
    expect(toReport(run, unsound).summary[1]).toContain('not sound');
  });

  it('marks tasks whose verdicts rest on less than hidden tests', () => {
    const html = toHtml(
      toReport(
        run,
        trials.map(trial => ({ ...trial, proofBasis: 'rubric' as const })),
      ),
      '0.1.0',
    );
    expect(html).toContain('<span class="warn">weaker proof</span>');
    expect(html).toContain('a model judges by the rubric');
    expect(toHtml(toReport(run, trials), '0.1.0')).not.toContain('weaker proof');
  });

  it('keeps trials without a verdict out of the mean, and names their errors', () => {
    const report = toReport(run, trials);
    const codex = report.agents.find(agent => agent.label === 'codex');
    expect(codex).toMatchObject({
      reward: { mean: 1, verdicts: 1 },
      trials: 2,
      medianTokens: 1234,
      failures: { errored: 1 },
    });
    expect(report.errors).toHaveLength(1);
    expect(report.agents.map(agent => agent.label)).toEqual(['codex', 'oracle', 'nop']);
  });

  it('quotes what agents did beside their work, in every form, and lets no figure change by it', () => {
    const flag = {
      kind: 'gitArchaeology',
      evidence: 'git log --all | grep "<b>"',
      place: 'agent/stdout.jsonl:7',
    } as const;
    const flagged = trials.map((trial, index) => (index === 0 ? { ...trial, flags: [flag] } : trial));
    const report = toReport(run, flagged);
    const [first] = flagged;
    expect(report.flags).toEqual([
      { trial: `${first?.task}, ${first?.agentLabel}, attempt ${first?.attempt}`, flags: [flag] },
    ]);
    expect(report.agents).toEqual(toReport(run, trials).agents);
    const html = toHtml(report, '0.1.0');
    expect(html).toContain('<code>git log --all | grep &quot;&lt;b&gt;&quot;</code>');
    expect(html).toContain('dug in git history');
    expect(toHtml(toReport(run, trials), '0.1.0')).not.toContain('Integrity');
    expect(toText(runs.members.show, { run, trials: flagged })).toContain(
      `Look at: ${first?.id} dug in git history: git log --all | grep "<b>" (agent/stdout.jsonl:7)`,
    );
  });

  it('is one page that loads and runs nothing, with everything escaped', () => {
    const html = toHtml(toReport(run, trials), '0.1.0');
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|https?:/);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('The kernel is shared &amp; so on.');
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('prefers-color-scheme:dark');
    expect(html).toContain('size:A4');
    expect(html).toMatch(/<td class="num">–<\/td><td class="num">1.2 k<\/td>/);
  });

  it('says how trials ended in the words of the pages', () => {
    const html = toHtml(toReport(run, [...trials, aTrial({ ...done, end: 'agentFailed', reward: 0 })]), '0.1.0');
    expect(html).toContain('<th scope="row">Tests failed</th>');
    expect(html).toContain('<th scope="row">Agent failed</th>');
    expect(html).toContain('title="Attempt 1: Passed, reward 1"');
    expect(html).toContain('Errored, no verdict"');
  });

  it('says which verdicts were taken from earlier trials, given anew, or made of steps', () => {
    const regrade = {
      trialId: '3',
      at: '2026-11-21T12:00:00.000Z',
      before: 0,
      after: 1,
      tests: [],
      flips: [],
      error: null,
    };
    const steps = [
      { name: 'first', end: 'verified' as const, reward: 1, rewards: {} },
      { name: 'second', end: 'timedOut' as const, reward: 0.5, rewards: {} },
    ];
    const given = trials.map(trial => (trial.id === '2' ? { ...trial, reusedFrom: 'run-<0>.7', steps } : trial));
    const report = toReport(run, given, [regrade]);
    const [reused, nop] = ['reused', 'regraded'].map(key => report[key as 'reused' | 'regraded'][0]?.trial);
    expect(report.reused).toEqual([{ trial: reused, from: 'run-<0>.7' }]);
    expect(report.regraded).toEqual([{ trial: nop, at: regrade.at, before: 0, after: 1 }]);
    expect([reused, nop]).toEqual([expect.stringContaining('oracle'), expect.stringContaining('nop')]);
    const html = toHtml(report, '0.1.0');
    expect(html).toContain('reused: the verdict of run-&lt;0&gt;.7');
    expect(html).toContain('0.00 → <b>1.00</b>');
    expect(html).toContain('first <b>1.00</b> · second <b>0.50</b>');
    expect(toHtml(toReport(run, trials), '0.1.0')).not.toMatch(/Reused|Steps/);
    expect(toJUnit(run.id, given)).toContain('name="reusedFrom" value="run-&lt;0&gt;.7"');
    const shown = toText(runs.members.show, { run, trials: given, regrades: [regrade] });
    expect(shown).toContain('Reused: 2 has the verdict of run-<0>.7; nothing was run.');
    expect(shown).toContain('Regraded: 3 0.00 → 1.00');
    expect(shown).toContain('Steps: 2 first 1.00, second 0.50.');
  });

  it('is HTML for people, and JSON, JUnit and CTRF for programs', async () => {
    const directory = temporaryDirectory();
    const write = async (format: 'html' | 'json' | 'junit' | 'ctrf') =>
      readFileSync(await writeReport({ ...run, directory }, trials, format), 'utf8');
    expect(await write('html')).toContain('<!doctype html>');
    expect(JSON.parse(await write('json')).agents[0]).toMatchObject({ label: 'codex', reward: { mean: 1 } });
    const suites = parseXml(await write('junit'));
    expect(suites?.attributes).toMatchObject({ tests: '4', failures: '1', errors: '1', skipped: '0' });
    expect(suites?.children.map(suite => suite.attributes['name'])).toEqual(['codex', 'oracle', 'nop']);
    const errored = suites?.children[0]?.children[1]?.children.find(child => child.name === 'error');
    expect(errored?.attributes).toEqual({ message: '<script>alert(1)</script>', type: 'errored' });
    expect(JSON.parse(await write('ctrf')).results).toMatchObject({
      summary: { tests: 4, passed: 2, failed: 1, other: 1, pending: 0 },
      tests: [{ suite: 'codex', status: 'passed' }, { status: 'passed' }, { status: 'failed' }, { status: 'other' }],
    });
  });

  it('has JUnit that any reader takes, whatever agents wrote', () => {
    const hostile = aTrial({
      ...done,
      reward: 0,
      tests: [{ id: 'a > "b" & ]]>', expected: 'failToPass', status: 'failed', message: 'red\u001b[31m\u0000\n<x>' }],
    });
    const failure = parseXml(toJUnit('r', [hostile]))?.children[0]?.children[0]?.children[1];
    expect(failure).toMatchObject({ name: 'failure', text: 'failed: a > "b" & ]]>\nred\ufffd[31m\ufffd\n<x>' });
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { checkoutBundle } from '../../../../server/git/bundle.ts';
import { aDirectory } from '../../git/aRepository.ts';
import { aPreparedTask, signal } from '../aTask.ts';
import { aTaskHouse, aTerminalBenchTask, contentOf } from './foreignDirectories.ts';
import { strictTaskToml } from './strictHarbor.ts';

/** Runs a Harbor task's scripts in plain directories that stand for the container's, with no code of ours. */
function inPlainDirectories(task: string, workdir: string) {
  const place = aDirectory('coach-plain');
  const paths = { '/logs': join(place, 'logs'), '/tests': join(place, 'tests'), '/solution': join(place, 'solution') };
  mkdirSync(join(paths['/logs'], 'verifier'), { recursive: true });
  cpSync(join(task, 'tests'), paths['/tests'], { recursive: true });
  cpSync(join(task, 'solution'), paths['/solution'], { recursive: true });
  // Scripts name places of the container, which this machine does not have.
  const moved = (script: string) => {
    const text = Object.entries({ ...paths, '/app': workdir }).reduce(
      (all, [inside, outside]) => all.replaceAll(new RegExp(`(?<![\\w./-])${inside}(?=[/\\s"';]|$)`, 'gm'), outside),
      readFileSync(script, 'utf8'),
    );
    writeFileSync(script, text);
    return spawnSync('bash', [script], { cwd: workdir, env: { PATH: process.env['PATH'], TEST_DIR: paths['/tests'] } });
  };
  return {
    solve: () => moved(join(paths['/solution'], 'solve.sh')),
    test() {
      moved(join(paths['/tests'], 'test.sh'));
      const file = join(paths['/logs'], 'verifier/reward.txt');
      return existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
    },
  };
}

describe('a task exported for Harbor', () => {
  it('passes a strict reader, and its scripts run without us', async () => {
    const { handlers, prepared, root } = await aPreparedTask();
    // What `validate` would find: here the ids come from the tests themselves.
    const expected = join(prepared.directory, 'tests/expected.json');
    const ids = {
      fail_to_pass: ['test/subtract.test.js > subtract "and" <more> > subtracts'],
      pass_to_pass: ['test/add.test.js > adds'],
    };
    writeFileSync(expected, JSON.stringify({ format: 1, proof: null, proven_digest: null, ...ids }));
    const output = join(aDirectory(), 'harbor');
    await handlers.export({ repository: root, task: prepared.id, format: 'harbor', output }, signal);
    expect(contentOf(output)).toEqual(contentOf(prepared.directory));
    strictTaskToml.parse(parse(readFileSync(join(output, 'task.toml'), 'utf8')));
    const workdir = aDirectory('coach-workdir');
    await checkoutBundle(join(output, 'environment/repo.bundle'), workdir);
    expect(inPlainDirectories(output, workdir).test()).toBe('0');
    execFileSync('git', ['-C', workdir, 'clean', '-fdq']);
    execFileSync('git', ['-C', workdir, 'checkout', '-q', '.']);
    const solved = inPlainDirectories(output, workdir);
    expect(solved.solve().status).toBe(0);
    expect(solved.test()).toBe('1');
  });

  it('is a Harbor task too when it came from Terminal-Bench', async () => {
    const { importFrom, exportTo } = aTaskHouse();
    const { task } = await importFrom(aTerminalBenchTask());
    const output = join(aDirectory(), 'harbor');
    await exportTo(task.id, 'harbor', output);
    strictTaskToml.parse(parse(readFileSync(join(output, 'task.toml'), 'utf8')));
    const workdir = aDirectory('coach-workdir');
    const places = inPlainDirectories(output, workdir);
    expect(places.test()).toBe('0');
    const solved = inPlainDirectories(output, workdir);
    expect(solved.solve().status).toBe(0);
    expect(solved.test()).toBe('1');
  });

  it('is not written over what is there', async () => {
    const { handlers, prepared, root } = await aPreparedTask();
    const output = aDirectory();
    const request = { repository: root, task: prepared.id, format: 'harbor', output } as const;
    await expect(handlers.export(request, signal)).rejects.toMatchObject({ code: 'input.invalid' });
  });
});

describe('a task exported for SWE-bench', () => {
  it('is a row whose patches make the solved tree of the start', async () => {
    const { handlers, prepared, root } = await aPreparedTask();
    const output = join(aDirectory(), 'rows.jsonl');
    const request = { repository: root, task: prepared.id, format: 'swe-bench', output } as const;
    await expect(handlers.export(request, signal)).rejects.toThrow(/no test ids yet/);
    const ids = { fail_to_pass: ['test/subtract.test.js > subtracts'], pass_to_pass: ['test/add.test.js > adds'] };
    writeFileSync(
      join(prepared.directory, 'tests/expected.json'),
      JSON.stringify({ format: 1, proof: null, proven_digest: null, ...ids }),
    );
    await handlers.export(request, signal);
    await handlers.export(request, signal);
    const rows = readFileSync(output, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows).toHaveLength(2);
    expect(JSON.parse(rows[0].FAIL_TO_PASS)).toEqual(ids.fail_to_pass);
    const workdir = aDirectory('coach-workdir');
    await checkoutBundle(join(prepared.directory, 'environment/repo.bundle'), workdir);
    for (const patch of [rows[0].patch, rows[0].test_patch])
      execFileSync('git', ['-C', workdir, 'apply', '-'], { input: patch });
    expect(readFileSync(join(workdir, 'test/subtract.test.js'), 'utf8')).toContain('subtracts');
    expect(readFileSync(join(workdir, 'src/sums.js'), 'utf8')).toContain('subtract');
  });
});

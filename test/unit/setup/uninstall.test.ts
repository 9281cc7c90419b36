import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coachPaths } from '../../../server/base/paths.ts';
import { readJournal, writeJournal } from '../../../server/setup/journal.ts';
import { applySetup, planSetup, type SetupPlace } from '../../../server/setup/setup.ts';
import { applyPurge, applyUndo, planPurge, planUndo } from '../../../server/setup/uninstall.ts';
import { temporaryDirectory } from '../../temporary.ts';

function aPlace(home: string, coachHome = '.codex-coach', more: NodeJS.ProcessEnv = {}): SetupPlace {
  const env = { HOME: home, COACH_HOME: join(home, coachHome), ...more };
  return { env, paths: coachPaths(env) };
}

async function register(place: SetupPlace, agent: string): Promise<void> {
  const command = { command: '/n/node', args: ['/cli.cjs', 'mcp'], env: { COACH_HOME: place.paths.home } };
  await applySetup(await planSetup([agent], command, place), place);
}

async function undo(place: SetupPlace): Promise<string[]> {
  const plan = await planUndo(place);
  await applyUndo(plan, place);
  return plan.left.map(({ reason }) => reason);
}

/** A HOME with one configuration file in which our server was registered. */
async function registered(agent: string, name: string, text: string) {
  const home = temporaryDirectory();
  const file = join(home, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const place = aPlace(home);
  await register(place, agent);
  return { home, file, place, edit: (change: (text: string) => string) => writeFileSync(file, change(read(file))) };
}

const read = (file: string) => readFileSync(file, 'utf8');
const config = '.codex/config.toml';
const settings = '.gemini/settings.json';

describe('undoing a registration', () => {
  it('names a file that is broken by now, leaves it alone, and undoes it once it is mended', async () => {
    const { file, place, edit } = await registered('codex', config, 'model = "m"\n');
    edit(text => text.replace('"m"', '"m'));
    const broken = read(file);
    expect(await undo(place)).toEqual([expect.stringMatching(/config\.toml is left alone: .+\.$/)]);
    expect(read(file)).toBe(broken);
    edit(text => text.replace('"m', '"m"'));
    expect(await undo(place)).toEqual([]);
    expect(read(file)).toBe('model = "m"\n');
    expect(readJournal(place.paths)).toEqual([]);
  });

  it('names a file that is no UTF-8 by now, and keeps it in the journal', async () => {
    const { file, place } = await registered('gemini', settings, '{"a":"x"}');
    writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('// caf\xe9\n', 'latin1')]));
    expect(await undo(place)).toEqual([`${file} is not UTF-8 and is left alone.`]);
    expect(readJournal(place.paths)).toHaveLength(1);
  });

  it('forgets a broken file that has nothing of ours any more', async () => {
    const { place, edit } = await registered('codex', config, '');
    edit(() => 'model = "m');
    expect(await undo(place)).toEqual([]);
    expect(readJournal(place.paths)).toEqual([]);
  });

  it('keeps every byte that others wrote before and behind our entry', async () => {
    const { file, place, edit } = await registered('codex', config, 'model = "m"\n');
    const behind = '\n# ask Bob before you change this!\n[profiles.team]\nmodel = "o"\n';
    edit(text => `approval_policy = "never"\n${text}${behind}`);
    expect(await undo(place)).toEqual([]);
    expect(read(file)).toBe(`approval_policy = "never"\nmodel = "m"\n${behind}`);
  });

  it('leaves no stray comma where what stood before our entry is gone', async () => {
    const { file, place, edit } = await registered('gemini', settings, '{\n  "theme": "x",\n}\n');
    edit(text => text.replace('  "theme": "x",\n', ''));
    expect(await undo(place)).toEqual([]);
    expect(read(file)).toBe('{\n}\n');
    const inOneLine = await registered('gemini', settings, '{"theme":"x"}');
    inOneLine.edit(text => text.replace('"theme":"x",', ''));
    expect(await undo(inOneLine.place)).toEqual([]);
    expect(read(inOneLine.file)).toBe('{}');
  });

  it('leaves an entry alone that can not be taken out without changing what the file says', async () => {
    const { file, place, edit } = await registered('codex', config, '');
    edit(() => 'mcp_servers.codex_coach.command = "x"\n');
    expect(await undo(place)).toEqual([expect.stringContaining("can't be taken out")]);
    expect(read(file)).toBe('mcp_servers.codex_coach.command = "x"\n');
  });

  it('names one that no journal knows', async () => {
    const { place, edit } = await registered('codex', config, '');
    await writeJournal(place.paths, []);
    edit(() => `[mcp_servers]\ncodex_coach = { command = "x", env = { COACH_HOME = "${place.paths.home}" } }\n`);
    expect(await undo(place)).toEqual([expect.stringContaining("can't be taken out")]);
  });

  it.each([
    ['there', true],
    ['not there, and neither is its directory', false],
  ])('writes to what a link names, and leaves the link: it is %s', async (_what, exists) => {
    const home = temporaryDirectory();
    const place = aPlace(home);
    mkdirSync(join(home, '.codex'));
    const target = join(home, 'dotfiles', 'codex.toml');
    if (exists) {
      mkdirSync(dirname(target));
      writeFileSync(target, '# mine\n');
    }
    symlinkSync('../dotfiles/codex.toml', join(home, config));
    await register(place, 'codex');
    expect(lstatSync(join(home, config)).isSymbolicLink()).toBe(true);
    expect(read(target)).toContain('codex_coach');
    expect(await undo(place)).toEqual([]);
    expect(readlinkSync(join(home, config))).toBe('../dotfiles/codex.toml');
    expect(existsSync(dirname(target))).toBe(exists);
    if (exists) expect(read(target)).toBe('# mine\n');
  });

  it('leaves the entry that another COACH_HOME has put in its place', async () => {
    const { home, file, place } = await registered('codex', config, 'model = "m"\n');
    const other = aPlace(home, 'other');
    await register(other, 'codex');
    const theirs = read(file);
    expect(await undo(place)).toEqual([]);
    expect(read(file)).toBe(theirs);
    expect(await undo(other)).toEqual([]);
    expect(read(file)).toBe('model = "m"\n');
  });
});

describe('removing a COACH_HOME', () => {
  it('takes along what a kill left half written, and nothing that only looks like it', async () => {
    const place = aPlace(temporaryDirectory());
    mkdirSync(place.paths.home);
    const names = ['launches.json', 'launches.json.0a1b2c3d.tmp', 'setup.json.0a1b2c3d.tmp', 'notes.0a1b2c3d.tmp'];
    for (const name of names) writeFileSync(join(place.paths.home, name), '');
    mkdirSync(join(place.paths.home, 'launched', '1-abc'), { recursive: true });
    await applyPurge(planPurge(place), place, null);
    expect(readdirSync(place.paths.home)).toEqual(['notes.0a1b2c3d.tmp']);
  });

  it('takes along the socket of a home with a long name, and its directory', async () => {
    const place = aPlace(temporaryDirectory(), 'x'.repeat(100));
    const temporary = temporaryDirectory();
    const socket = join(temporary, 'codex-coach-1', 'a.sock');
    mkdirSync(dirname(socket));
    writeFileSync(socket, '');
    const moved = { ...place, paths: { ...place.paths, socket } };
    await applyPurge(planPurge(moved), moved, null);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { silentLog } from '../../../../server/base/log.ts';
import { type KeptLaunch, LaunchStore, toSpec } from '../../../../server/proxy/launches/launchStore.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const aLaunch = (fields: Partial<KeptLaunch> = {}): KeptLaunch => ({
  id: randomBytes(8).toString('hex'),
  digest: randomBytes(32).toString('hex'),
  agent: 'codex',
  label: null,
  overrides: [{ host: 'api.openai.com', target: 'http://127.0.0.1:9' }],
  replay: false,
  defaultHost: 'api.openai.com',
  budget: { tokens: 1000, usd: null },
  pid: null,
  directory: '/work/shop',
  usedAt: Date.now(),
  ...fields,
});

const place = () => join(temporaryDirectory(), 'launches.json');

describe('the launches that outlive a server', () => {
  it('are there for the next one, with the port that agents were told', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const [first, second] = [aLaunch(), aLaunch({ usedAt: Date.now() - 1000 })];
    await store.listening(18080);
    await store.keep(first);
    await store.keep(second);
    const next = new LaunchStore(file, silentLog);
    expect(next.launches).toEqual([first, second]);
    expect(next.awaitedPort).toBe(18080);
  });

  it('are for their owner alone, also where files are made for everyone', async () => {
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const file = place();
    await new LaunchStore(file, silentLog).keep(aLaunch());
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('are forgotten when they are closed or long unused, and bounded in number', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const closed = aLaunch();
    await store.keep(closed);
    await store.forget(closed.id);
    await store.keep(aLaunch({ usedAt: Date.now() - 30 * 86_400_000 }));
    expect(new LaunchStore(file, silentLog).launches).toEqual([]);
    for (let index = 0; index < 250; index++) void store.keep(aLaunch({ usedAt: Date.now() - index }));
    await store.keep(aLaunch({ label: 'newest', usedAt: Date.now() + 1 }));
    const kept = new LaunchStore(file, silentLog).launches;
    expect(kept).toHaveLength(200);
    expect(kept[0]?.label).toBe('newest');
  });

  it('are kept from their last use on, and not from their start', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const { id, digest, ...rest } = aLaunch();
    const launch = { id, digest, spec: toSpec({ id, digest, ...rest }) };
    const start = Date.now();
    onTestFinished(() => void vi.useRealTimers());
    await store.listening(18080);
    for (let day = 0; day <= 20; day += 5) {
      vi.useFakeTimers({ toFake: ['Date'], now: start + day * 86_400_000 });
      await store.use(launch);
    }
    await store.ended();
    const next = new LaunchStore(file, silentLog);
    expect(next.launches).toEqual([{ id, digest, ...rest, usedAt: start + 20 * 86_400_000 }]);
    expect(next.awaitedPort).toBe(18080);
  });

  it('are kept again at their next use when they were dropped meanwhile', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const { id, digest, ...rest } = aLaunch();
    const launch = { id, digest, spec: toSpec({ id, digest, ...rest }) };
    await store.use(launch);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30 * 86_400_000 });
    onTestFinished(() => void vi.useRealTimers());
    await store.keep(aLaunch());
    expect(store.launches.map(kept => kept.id)).not.toContain(id);
    await store.use(launch);
    expect(new LaunchStore(file, silentLog).launches.map(kept => kept.id)).toContain(id);
  });

  it('are written down once an hour while they are at work, and never for a trial', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const { id, digest, ...rest } = aLaunch();
    const spec = toSpec({ id, digest, ...rest });
    await store.use({ id, digest, spec });
    const { ino } = statSync(file);
    for (let each = 0; each < 50; each++) await store.use({ id, digest, spec });
    expect(statSync(file).ino).toBe(ino);
    await store.use({ id: 'trial', digest, spec: { ...spec, kept: false } });
    expect(store.launches).toHaveLength(1);
  });

  it('end with the server when their process is gone and their agent asks nothing', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    const ended = spawnSync(process.execPath, ['--version']).pid;
    const [gone, atWork, lives, unknown] = [ended, ended, process.pid, null].map(pid => aLaunch({ pid }));
    await store.listening(18080);
    for (const launch of [gone, atWork, lives, unknown]) if (launch !== undefined) await store.keep(launch);
    // A server that is killed ends nothing: its launchers start the next one.
    expect(new LaunchStore(file, silentLog).launches).toHaveLength(4);
    await store.ended(new Set([atWork?.id ?? '']));
    const left = new LaunchStore(file, silentLog).launches.map(({ id }) => id).sort();
    expect(left).toEqual([atWork?.id, lives?.id, unknown?.id].sort());
  });

  it('are read as an earlier version has written them', async () => {
    const file = place();
    const { pid: _pid, directory: _directory, ...written } = aLaunch();
    writeFileSync(file, JSON.stringify({ format: 1, port: 18080, listening: false, launches: [written] }));
    expect(new LaunchStore(file, silentLog).launches).toEqual([{ ...written, pid: null, directory: null }]);
  });

  it('ask for no port after a server that ended in order and left none', async () => {
    const file = place();
    const store = new LaunchStore(file, silentLog);
    await store.listening(18080);
    expect(new LaunchStore(file, silentLog).awaitedPort).toBe(18080);
    await store.ended();
    expect(new LaunchStore(file, silentLog).awaitedPort).toBeNull();
    await store.keep(aLaunch({ usedAt: Date.now() - 2 * 86_400_000 }));
    expect(new LaunchStore(file, silentLog).awaitedPort).toBeNull();
    await store.keep(aLaunch());
    expect(new LaunchStore(file, silentLog).awaitedPort).toBe(18080);
  });

  it.each(['', '{', '{"format":2}', '[]'])('are none where the file holds %j, and are kept again', async text => {
    const file = place();
    writeFileSync(file, text);
    const store = new LaunchStore(file, silentLog);
    expect(store.launches).toEqual([]);
    const launch = aLaunch();
    await store.keep(launch);
    expect(new LaunchStore(file, silentLog).launches).toEqual([launch]);
  });

  it('cost nothing but that when they cannot be written', async () => {
    const file = place();
    mkdirSync(file);
    const store = new LaunchStore(file, silentLog);
    await store.keep(aLaunch());
    expect(store.launches).toHaveLength(1);
    expect(() => readFileSync(file)).toThrow('EISDIR');
  });
});

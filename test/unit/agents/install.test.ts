import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../../../server/agents/agent.ts';
import { codex } from '../../../server/agents/codex.ts';
import { findInstalled, installAgent } from '../../../server/agents/install.ts';
import { temporaryDirectory } from '../../integration/executorsFixture.ts';

const agent: Agent = {
  ...codex,
  id: 'sample',
  title: 'Sample agent',
  package: {
    name: '@sample/agent',
    version: '1.2.3',
    platform: () => ({ spec: '@sample/agent@1.2.3', directory: 'vendor/here', program: 'bin/agent' }),
  },
};

describe('installing an agent', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let cache: string;
  let calls = 0;

  /** A real `npm` on PATH that installs what `program` is. */
  const npmThat = (program: string | null, exitCode = 0) => {
    const bin = join(directory.path, `bin-${++calls}`);
    mkdirSync(bin);
    const install =
      program === null
        ? 'echo "npm error 404 Not Found" >&2'
        : `mkdir -p "$3/node_modules/@sample/agent/vendor/here/bin" && printf '%s' '${program}' > "$3/node_modules/@sample/agent/vendor/here/bin/agent" && chmod +x "$3/node_modules/@sample/agent/vendor/here/bin/agent"`;
    writeFileSync(
      join(bin, 'npm'),
      `#!/bin/sh\necho call >> "${bin}/calls"\nsleep 0.2\n${install}\nexit ${exitCode}\n`,
    );
    chmodSync(join(bin, 'npm'), 0o755);
    return { bin, env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` } };
  };
  const works = '#!/bin/sh\necho "sample 1.2.3"\n';
  const told: string[] = [];
  const options = (env: NodeJS.ProcessEnv) => ({ cache, env, onProgress: (text: string) => told.push(text) });

  beforeEach(() => {
    directory = temporaryDirectory('install');
    cache = join(directory.path, 'cache');
    told.length = 0;
  });
  afterEach(() => directory.dispose());

  it('fetches it once for all who ask at the same time, and finds it at once later', async () => {
    const { bin, env } = npmThat(works);
    const [first, second] = await Promise.all([installAgent(agent, options(env)), installAgent(agent, options(env))]);
    expect(first).toEqual(second);
    expect(first.directory).toBe(join(cache, 'agents', 'sample', '1.2.3', 'program'));
    expect(existsSync(join(first.directory, 'bin', 'agent'))).toBe(true);
    expect(told.join('\n')).toMatch(/Fetching @sample\/agent@1\.2\.3 from npm/);
    await installAgent(agent, options({ PATH: '' }));
    expect(readdirSync(bin)).toContain('calls');
    expect(findInstalled(agent, cache)?.version).toBe('1.2.3');
  });

  it('leaves nothing behind when npm fails, and says what npm said', async () => {
    const { env } = npmThat(null, 1);
    await expect(installAgent(agent, options(env))).rejects.toMatchObject({
      code: 'agent.installFailed',
      message: expect.stringContaining('404 Not Found'),
      hint: expect.stringContaining('npm view'),
    });
    expect(readdirSync(join(cache, 'agents', 'sample'))).toEqual([]);
  });

  it('does not count a program as installed that does not run', async () => {
    const { env } = npmThat('#!/bin/sh\necho "cannot run here"; exit 1\n');
    await expect(installAgent(agent, options(env))).rejects.toMatchObject({
      code: 'agent.installFailed',
      message: expect.stringContaining('cannot run here'),
    });
    expect(findInstalled(agent, cache)).toBeNull();
  });

  it('says so when there is no npm', async () => {
    await expect(installAgent(agent, options({ PATH: '/nowhere' }))).rejects.toMatchObject({
      code: 'agent.installFailed',
      message: 'No npm on this machine.',
    });
  });

  it('stops when it is cancelled', async () => {
    const { env } = npmThat(works);
    const stop = new AbortController();
    const installing = installAgent(agent, options(env), stop.signal);
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(installing).rejects.toThrow('enough');
    expect(findInstalled(agent, cache)).toBeNull();
  });
});

import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPreparedTask } from '../../../../server/tasks/format.ts';
import { write } from '../../git/aRepository.ts';
import { aHarborTask, aTaskHouse, aTerminalBenchTask, harborToml } from './foreignDirectories.ts';

/** The complete task with one more setting. */
const withSetting = (table: string, line: string) => ({
  'task.toml': harborToml.replace(`[${table}]\n`, `[${table}]\n${line}\n`),
});

/** The complete task with one step that asks for this. */
const withStep = (lines: string) => ({ 'task.toml': `${harborToml}\n[[steps]]\nname = "one"\n${lines}` });

/** The same with a Dockerfile for the step's verifier that stands on nothing. */
const withDockerfile = (lines: string) => ({ ...withStep(lines), 'steps/one/tests/Dockerfile': 'WORKDIR /tests\n' });

const withArtifacts = (list: string) => ({
  'task.toml': harborToml.replace('\n[task]', `artifacts = [${list}]\n[task]`),
});

describe('what sandboxes here do not have', () => {
  it.each([
    ['[environment] gpus', { 'task.toml': harborToml.replace('gpus = 0', 'gpus = 1') }],
    ['[environment] tpu', withSetting('environment', 'tpu = { type = "v4", topology = "2x2" }')],
    ['[environment] os', withSetting('environment', 'os = "windows"')],
    [
      '[environment] network_mode',
      withSetting('environment', 'network_mode = "allowlist"\nallowed_hosts = ["pypi.org"]'),
    ],
    ['[environment] healthcheck', withSetting('environment', 'healthcheck = { command = "true" }')],
    [
      '[environment] mcp_servers',
      { 'task.toml': harborToml.replace('mcp_servers = []', 'mcp_servers = [{ name = "x" }]') },
    ],
    ['[environment] skills_dir', withSetting('environment', 'skills_dir = "skills"')],
    ['[agent] user', withSetting('agent', 'user = "root"')],
    ['[agent] network_mode', withSetting('agent', 'network_mode = "allowlist"')],
    ['[verifier] user', withSetting('verifier', 'user = 0')],
    ['[[steps]] one: a health check', withStep('healthcheck = { command = "true" }\n')],
    ['[[steps]] one user', withStep('[steps.agent]\nuser = "agent"\n')],
    ['[[verifier.collect]]', withSetting('verifier', 'collect = [{ command = "ps" }]')],
    ['[verifier.env] TOKEN', withSetting('verifier.env', `TOKEN = "\${API_TOKEN}"`)],
    ['steps/one/tests/compose.yaml', { ...withStep(''), 'steps/one/tests/compose.yaml': 'services: {}\n' }],
    ['[[steps]] one [verifier.environment] gpus', withStep('[steps.verifier.environment]\ngpus = 1\n')],
    ['environment/docker-compose.yaml', { 'environment/docker-compose.yaml': 'services: {}\n' }],
  ])('is refused by name: %s', async (name, over) => {
    const { importFrom, handlers, repository } = aTaskHouse();
    await expect(importFrom(aHarborTask(over))).rejects.toMatchObject({
      code: 'task.unsupported',
      message: expect.stringContaining(name),
    });
    expect((await handlers.list({ repository }, new AbortController().signal)).rows).toEqual([]);
  });

  it('is named all at once', async () => {
    const over = { 'task.toml': harborToml.replace('gpus = 0', 'gpus = 2\nos = "windows"') };
    await expect(aTaskHouse().importFrom(aHarborTask(over))).rejects.toThrow(/gpus: GPUs; .*os: Windows/);
  });

  it.each([
    ['services.database', '  database:\n    image: postgres\n'],
    ['services.client.privileged', '    privileged: true\n'],
  ])('is refused in a Docker Compose file: %s', async (name, lines) => {
    const directory = aTerminalBenchTask();
    write(directory, {
      'docker-compose.yaml': `services:\n  client:\n    command: [sh, -c, sleep infinity]\n${lines}`,
    });
    await expect(aTaskHouse().importFrom(directory)).rejects.toMatchObject({
      code: 'task.unsupported',
      message: expect.stringContaining(name),
    });
  });

  it.each([
    ['steps/one/instruction.md', withStep('')],
    ['steps/one/tests/Dockerfile has no FROM', withDockerfile('[steps.verifier]\nenvironment_mode = "separate"\n')],
    [
      '[[steps]] one environment_mode "shared"',
      withStep('[steps.verifier]\nenvironment_mode = "shared"\n[steps.verifier.environment]\n'),
    ],
    ['[[steps]] one artifacts: /srv/x', withStep('artifacts = ["/srv/x"]\n')],
    ['artifacts: /srv/x lies neither', withArtifacts('"/srv/x"')],
    ['artifacts: /tmp lies neither', withArtifacts('"/tmp"')],
    ['artifacts: /logs/artifacts/../verifier', withArtifacts('"/logs/artifacts/../verifier"')],
    ['artifacts: exclude of /app/out', withArtifacts('{ source = "/app/out", exclude = ["*.log"] }')],
    ['memory_mb', { 'task.toml': harborToml.replace('memory_mb = 2048', 'memory_mb = 65536') }],
  ])('is kept but not run where it is understood: %s', async (name, over) => {
    const directory = aHarborTask(over);
    const { importFrom } = aTaskHouse();
    const { task } = await importFrom(directory);
    expect(task.problem).toContain(name);
    await expect(loadPreparedTask(task.directory)).rejects.toMatchObject({ code: 'task.invalid' });
  });
});

describe('what is missing in a task', () => {
  it.each(['tests/test.sh', 'instruction.md', 'environment/Dockerfile'])('is named: %s', async part => {
    const directory = aHarborTask();
    rmSync(join(directory, part));
    expect((await aTaskHouse().importFrom(directory)).task.problem).toContain(part);
  });
});

describe('what is no task', () => {
  it.each([
    ['schema of another version', { 'task.toml': harborToml.replace('"1.3"', '"2.0"') }, /schema 2\.0/],
    ['TOML that is none', { 'task.toml': '[task' }, /not TOML/],
    ['a field of another type', { 'task.toml': harborToml.replace('cpus = 1', 'cpus = "many"') }, /environment\.cpus/],
  ])('is refused: %s', async (_, over, message) => {
    await expect(aTaskHouse().importFrom(aHarborTask(over))).rejects.toThrow(message);
  });

  it('is refused when a test is a link out of the task', async () => {
    const directory = aHarborTask();
    symlinkSync('/etc/passwd', `${directory}/tests/outside`);
    await expect(aTaskHouse().importFrom(directory)).rejects.toThrow(/link to \/etc\/passwd/);
  });
});

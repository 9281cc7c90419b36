import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CodexSessionFiles, codexSessionDirectories } from '../../server/traces/codexFiles/codexSessionFiles.ts';
import { toCleanSession } from '../../server/traces/exports/export.ts';
import { Redactor } from '../../server/traces/redaction/redaction.ts';
import { wholeSession } from '../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../server/traces/sessions/sessionReport.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { codexDirectory, requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aRecordingWorld, runProgram } from './proxy/recordingWorld.ts';

describe.skipIf(!requireFeature('codex'))('the session files of the real Codex CLI', { timeout: 90_000 }, () => {
  it('tell the same tokens and the same conversation as the proxy, also after a resume', async () => {
    const upstream = await startFakeUpstream();
    onTestFinished(() => upstream.dispose());
    const world = await aRecordingWorld();
    const overrides = ['api.openai.com', 'chatgpt.com'].map(host => ({ host, target: upstream.origin }));
    const launch = await world.open({ overrides });
    // Outside the temporary directory: there Codex refuses to make its own helpers.
    const codexHome = mkdtempSync(join(homedir(), '.coach-test-codex-'));
    onTestFinished(() => rmSync(codexHome, { recursive: true, force: true, maxRetries: 5 }));
    const cwd = temporaryDirectory();
    const codex = (...args: string[]) =>
      runProgram(
        join(codexDirectory() ?? '', 'bin', 'codex'),
        [
          ...['exec', ...args.slice(0, -1), '--json', '--skip-git-repo-check', '-m', 'gpt-5.5'],
          ...['--dangerously-bypass-approvals-and-sandbox', '-c', 'otel.metrics_exporter="none"'],
          ...['-c', 'analytics.enabled=false', '--disable', 'plugins', '--disable', 'apps', args.at(-1) ?? ''],
        ],
        {
          cwd,
          env: {
            PATH: process.env['PATH'],
            HOME: codexHome,
            CODEX_HOME: codexHome,
            ...launch.launch.env,
            CODEX_API_KEY: 'sk-canary-0123456789abcdef',
          },
        },
      );
    const first = await codex('SHELL echo first\nADD made.txt by codex\nSAY All done.');
    expect(first).toMatchObject({ code: 0 });
    const id = /"thread_id":"([^"]+)"/.exec(first.stdout)?.[1] ?? '';
    expect(await codex('resume', id, 'SHELL false\nSAY Done again.')).toMatchObject({ code: 0 });
    await launch.settled();

    const files = new CodexSessionFiles(codexSessionDirectories({ CODEX_HOME: codexHome }, ''), new Redactor());
    expect(readdirSync(codexHome)).toContain('sessions');
    const reader = await files.load(id);
    if (reader === null) throw new Error('Codex left no session file.');
    const recorded = world.store.requireSession(id);
    expect(recorded.exchanges).toBe(5);
    const { usage, exchanges, models, title, repository, agent } = reader.requireSession(id);
    expect({ usage, exchanges, models, title, repository, agent }).toEqual({
      usage: recorded.usage,
      exchanges: recorded.exchanges,
      models: recorded.models,
      title: recorded.title,
      repository: recorded.repository,
      agent: recorded.agent,
    });
    const usages = (from: typeof reader) => from.exchangesOfSession(id).map(exchange => exchange.usage);
    expect(usages(reader)).toEqual(usages(world.store));
    const spoken = (from: typeof reader) =>
      toCleanSession(from, id).messages.flatMap(({ exchange: _, ...message }) =>
        message.role === 'tool' || message.role === 'assistant' ? [message] : [],
      );
    expect(spoken(reader)).toEqual(spoken(world.store));
    const [ofFile, ofProxy] = [reader, world.store].map(from => reportOf(wholeSession(from, id)));
    expect(ofFile?.turns).toBe(2);
    expect(ofFile).toMatchObject({ turns: ofProxy?.turns, tools: ofProxy?.tools, files: ofProxy?.files });
  });
});

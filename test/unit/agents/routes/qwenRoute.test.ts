import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { geminiRoute } from '../../../../server/agents/routes/geminiRoute.ts';
import type { Argv, BaseUrls, OwnRoute } from '../../../../server/agents/routes/ownRoute.ts';
import { qwenRoute } from '../../../../server/agents/routes/qwenRoute.ts';
import { temporaryDirectory } from '../../../temporary.ts';

const proxy = 'http://coach:t@127.0.0.1:1';

/** Both agents in `<home>/work/app`, with these files below the home. */
function aHome(files: Record<string, object | string>, more: NodeJS.ProcessEnv = {}) {
  const home = temporaryDirectory();
  const cwd = join(home, 'work', 'app');
  mkdirSync(cwd, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const system = join(home, 'etc', 'settings.json');
  const env = { HOME: home, QWEN_CODE_SYSTEM_SETTINGS_PATH: system, ...more };
  const started = (argv: Argv, isReplayed = false) => ({ argv, env, cwd, isReplayed });
  return {
    home,
    qwen: (...argv: Argv) => qwenRoute(started(argv)),
    gemini: (isReplayed = false) => geminiRoute(started(['gemini'], isReplayed)),
  };
}

/** The command with which an agent takes a launch's way, and the settings that are written for it. */
async function led({ command }: OwnRoute, settings: BaseUrls = {}) {
  const written: unknown[] = [];
  const file = (name: string, text: string) => {
    written.push(JSON.parse(text));
    return `/private/${name}`;
  };
  const { argv, env } = await command({ env: { HTTPS_PROXY: proxy, OPENAI_BASE_URL: null }, settings, file });
  return { argv, env, written };
}

describe('Gemini CLI and Qwen Code', () => {
  it('take base URLs that their environment lacks from the nearest .env file', async () => {
    const { gemini, qwen } = aHome({
      '.env': 'OPENAI_BASE_URL=https://far.example/v1',
      '.gemini/.env': '# ours\nexport GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:9"\nOTHER=1',
      '.qwen/.env': 'OPENAI_BASE_URL=http://127.0.0.1:9/v1',
    });
    expect((await gemini()).baseUrls).toEqual({ GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:9' });
    expect((await qwen('qwen')).baseUrls).toEqual({ OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
  });

  it('go by their environment where it names one, and by none where it names an empty one', async () => {
    const files = { '.gemini/.env': 'GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9' };
    const named = aHome(files, { GOOGLE_GEMINI_BASE_URL: 'https://mine.example' });
    expect((await named.gemini()).baseUrls).toEqual({ GOOGLE_GEMINI_BASE_URL: 'https://mine.example' });
    const empty = await aHome(files, { GOOGLE_GEMINI_BASE_URL: '' }).gemini();
    expect(empty.baseUrls).toEqual({});
    expect(await led(empty)).toMatchObject({ env: { GOOGLE_GEMINI_BASE_URL: '' } });
  });

  it('are not led by a project’s file that they may not trust, but to a recording', async () => {
    const files = {
      'work/.env': 'GOOGLE_GEMINI_BASE_URL=https://evil.example\nOPENAI_BASE_URL=https://evil.example',
      '.qwen/settings.json': { security: { folderTrust: { enabled: true } } },
    };
    const { home, gemini, qwen } = aHome(files);
    const message = `${join(home, 'work', '.env')} leads Gemini CLI elsewhere by GOOGLE_GEMINI_BASE_URL, if it trusts the project.`;
    await expect(gemini()).rejects.toMatchObject({ code: 'input.invalid', message });
    await expect(qwen('qwen')).rejects.toMatchObject({ code: 'input.invalid' });
    expect((await gemini(true)).baseUrls).toMatchObject({ GOOGLE_GEMINI_BASE_URL: 'https://evil.example' });
    // Without folder trust, Qwen Code goes there by itself.
    const { qwen: trusting } = aHome({ ...files, '.qwen/settings.json': {} });
    expect((await trusting('qwen')).baseUrls).toMatchObject({ OPENAI_BASE_URL: 'https://evil.example' });
  });
});

describe('Qwen Code’s settings', () => {
  const model = (id: string, baseUrl: string) => ({ id, name: id, envKey: 'K', baseUrl });

  it('name URLs and a proxy, which the machine’s settings take the place of', async () => {
    const { home, qwen } = aHome({
      '.qwen/settings.json': {
        proxy: 'http://company.example:3128',
        security: { auth: { selectedType: 'openai', baseUrl: 'http://127.0.0.1:9/v1' } },
        modelProviders: { openai: [model('a', 'https://a.example/v1'), model('b', 'http://127.0.0.1:9/v1')] },
      },
      'etc/settings.json': {
        privacy: { usageStatisticsEnabled: false },
        security: { auth: { enforcedType: 'openai' } },
      },
    });
    const route = await qwen('qwen', 'hi');
    expect(route.settings).toEqual({
      'security.auth.baseUrl': 'http://127.0.0.1:9/v1',
      'modelProviders.openai.0.baseUrl': 'https://a.example/v1',
      'modelProviders.openai.1.baseUrl': 'http://127.0.0.1:9/v1',
    });
    const ours = 'http://127.0.0.1:1/t/v1';
    const { argv, env, written } = await led(route, {
      'security.auth.baseUrl': ours,
      'modelProviders.openai.1.baseUrl': ours,
    });
    expect(argv).toEqual(['qwen', 'hi']);
    expect(env).toEqual({
      QWEN_CODE_SYSTEM_SETTINGS_PATH: '/private/qwen-settings.json',
      QWEN_CODE_SYSTEM_DEFAULTS_PATH: join(home, 'etc', 'system-defaults.json'),
    });
    expect(written).toEqual([
      {
        privacy: { usageStatisticsEnabled: false },
        proxy,
        security: { auth: { enforcedType: 'openai', baseUrl: ours } },
        modelProviders: { openai: [model('a', 'https://a.example/v1'), model('b', ours)] },
      },
    ]);
  });

  it('need no change where they name nothing of the kind', async () => {
    const { qwen } = aHome({
      '.qwen/settings.json': { model: { name: 'qwen3' }, env: { OPENAI_BASE_URL: 'https://a.example' } },
    });
    const route = await qwen('qwen');
    expect(route.baseUrls).toEqual({ OPENAI_BASE_URL: 'https://a.example' });
    expect(await led(route)).toEqual({ argv: ['qwen'], env: {}, written: [] });
  });

  it('may name models of several places on this machine, of which those of the chosen one are left', async () => {
    const files = {
      '.qwen/settings.json': {
        modelProviders: { openai: [model('a', 'http://127.0.0.1:8/v1'), model('b', 'http://127.0.0.1:9/v1')] },
      },
    };
    const { qwen } = aHome(files);
    const route = await qwen('qwen', '--model=b');
    expect(route.settings).toEqual({ 'modelProviders.openai.1.baseUrl': 'http://127.0.0.1:9/v1' });
    const { written } = await led(route, { 'modelProviders.openai.1.baseUrl': 'http://ours' });
    expect(written).toEqual([{ modelProviders: { openai: [model('b', 'http://ours')] } }]);
    await expect(qwen('qwen')).rejects.toMatchObject({ code: 'input.invalid' });
  });

  it('come after options, with which it is not started where they lead elsewhere', async () => {
    const { qwen } = aHome({});
    const route = await qwen('qwen', '--openai-base-url', 'http://127.0.0.1:9/v1');
    expect(route.settings).toEqual({ '--openai-base-url': 'http://127.0.0.1:9/v1' });
    await expect(led(route, { '--openai-base-url': 'http://ours' })).rejects.toThrow(
      "can't be recorded with --openai-base-url",
    );
    expect(await led(route)).toMatchObject({ written: [] });
    await expect(led(await qwen('qwen', '--proxy=http://p'))).rejects.toThrow("can't be recorded with --proxy");
  });
});

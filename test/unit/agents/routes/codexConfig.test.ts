import { describe, expect, it } from 'vitest';
import { codexConfig, withBaseUrls } from '../../../../server/agents/routes/codexConfig.ts';

const home = '/home/me/.codex';
const gateway = '[model_providers.gw]\nname = "gw"\nbase_url = "http://localhost:4000/v1"\nenv_key = "GW_KEY"\n';
const inUse = { 'config.toml': `model_provider = "gw"\n${gateway}` };

/** Base URLs under these arguments; files by their name in CODEX_HOME, or by their whole path. */
function baseUrlsOf(args: readonly string[], files: Readonly<Record<string, string>>) {
  const all = Object.entries(files).map(([name, text]) => [name.startsWith('/') ? name : `${home}/${name}`, text]);
  return codexConfig(args, home, file => new Map(all as [string, string][]).get(file) ?? null);
}

function urlOf(args: readonly string[], files: Readonly<Record<string, string>>): string | undefined {
  return baseUrlsOf(args, files).baseUrls['model_providers.gw.base_url'];
}

describe('the configuration of Codex', () => {
  it('names the provider that is in use, and the variable of its key', () => {
    expect(baseUrlsOf([], inUse)).toEqual({
      baseUrls: { 'model_providers.gw.base_url': 'http://localhost:4000/v1' },
      keyVariable: 'GW_KEY',
    });
    expect(baseUrlsOf([], { 'config.toml': gateway })).toEqual({ baseUrls: {}, keyVariable: null });
    expect(baseUrlsOf(['--oss'], inUse)).toEqual({ baseUrls: {}, keyVariable: null });
    expect(baseUrlsOf([], {})).toEqual({ baseUrls: {}, keyVariable: null });
  });

  it('names where OpenAI itself is, and ChatGPT', () => {
    const both = 'openai_base_url = "https://a.example/v1"\nchatgpt_base_url = "https://b.example/"\n';
    expect(baseUrlsOf(['exec', 'hello'], { 'config.toml': both }).baseUrls).toEqual({
      openai_base_url: 'https://a.example/v1',
      chatgpt_base_url: 'https://b.example/',
    });
    const other = ['-c', 'model_provider=gw'];
    expect(Object.keys(baseUrlsOf(other, { 'config.toml': both }).baseUrls)).toEqual(['chatgpt_base_url']);
  });

  const profiled = { ...inUse, 'work.config.toml': '[model_providers.gw]\nbase_url = "http://work:1"\n' };
  const managed = { '/etc/codex/managed_config.toml': 'model_providers.gw.base_url = "http://managed:1"' };
  it.each([
    ['the user over the machine', [], { ...inUse, '/etc/codex/config.toml': gateway.replace('4000', '1') }, ':4000/v1'],
    ['its profile', ['exec', '--profile=work', 'x'], profiled, 'http://work:1'],
    ['the last profile', ['-pnone', 'exec', '-p', 'work'], profiled, 'http://work:1'],
    ['no profile after the end of options', ['exec', '--', '-p', 'work'], profiled, ':4000/v1'],
    ['the command line', ['-c', 'model_providers.gw.base_url="http://c:1"'], profiled, 'http://c:1'],
    ['a bare text', ['exec', '--config=model_providers.gw.base_url = http://c:1'], profiled, 'http://c:1'],
    ['an inline table', ['-cmodel_providers.gw={base_url="http://c:1"}'], profiled, 'http://c:1'],
    [
      'the last one',
      ['-c', 'model_providers.gw.base_url=http://c:1', '-c', 'model_providers.gw.base_url=d'],
      inUse,
      'd',
    ],
    ['the administrator', ['-c', 'model_providers.gw.base_url=x'], { ...inUse, ...managed }, 'http://managed:1'],
  ])('lets %s win', (_, args, files, url) => {
    expect(urlOf(args, files)).toContain(url);
  });

  it('is not that of the user where it is ignored', () => {
    const args = ['exec', '--ignore-user-config', '-p', 'work'];
    expect(baseUrlsOf(args, profiled).baseUrls).toEqual({});
    expect(urlOf([...args, '-c', 'model_provider=gw'], { '/etc/codex/config.toml': gateway })).toContain('4000');
  });

  it('is refused with its file when it is no TOML', () => {
    expect(() => baseUrlsOf([], { 'config.toml': 'model_provider = ' })).toThrow(`configuration ${home}/config.toml`);
  });

  it.each([
    [
      ['exec', 'x'],
      ['-c', 'model_providers.gw.base_url="http://ours"', 'exec', 'x'],
    ],
    [
      ['exec', '-c', 'model_providers.gw.base_url=x', 'resume', '--', '-c', 'y'],
      ['exec', '-c', 'model_providers.gw.base_url=x', '-c', 'model_providers.gw.base_url="http://ours"'],
    ],
  ])('is overruled behind the last override: %s', (args, begin) => {
    const led = withBaseUrls(args, { 'model_providers.gw.base_url': 'http://ours' });
    expect(led.slice(0, begin.length)).toEqual(begin);
    expect(led).toHaveLength(args.length + 2);
    expect(urlOf(led, inUse)).toBe('http://ours');
  });

  it('is overruled for a provider whose name has dots', () => {
    const files = { 'config.toml': 'model_provider = "gw.1"\n[model_providers."gw.1"]\nbase_url = "http://x"' };
    const ours = { 'model_providers.gw.1.base_url': 'http://ours' };
    expect(Object.keys(baseUrlsOf([], files).baseUrls)).toEqual(Object.keys(ours));
    expect(baseUrlsOf(withBaseUrls(['exec'], ours), files).baseUrls).toEqual(ours);
  });
});

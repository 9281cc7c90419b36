import type { Agent } from './agent.ts';
import { scriptPackage } from './platforms.ts';
import { streamJsonEvents } from './streamJson.ts';

const commands = new Set(['run_shell_command']);
const edits = new Set(['write_file', 'edit']);

/** Without these it reports its use, and looks for a newer version. */
const settings = {
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false },
};

export const qwen: Agent = {
  id: 'qwen',
  title: 'Qwen Code',
  dialect: 'chat',
  apiHosts: ['dashscope.aliyuncs.com'],
  package: scriptPackage('@qwen-code/qwen-code', '0.15.10', 'cli.js'),
  kind: 'program',
  defaultModel: 'qwen3-coder-plus',
  keyName: 'DASHSCOPE_API_KEY',
  launch: ({ program, model, baseUrl, token, instruction }) => ({
    argv: [
      ...program,
      ...['--auth-type', 'openai', '-o', 'stream-json', '--yolo'],
      ...['--exclude-tools', 'web_search', '--exclude-tools', 'web_fetch'],
    ],
    env: {
      OPENAI_BASE_URL: `${new URL(baseUrl).origin}/compatible-mode/v1`,
      OPENAI_API_KEY: token,
      OPENAI_MODEL: model ?? 'qwen3-coder-plus',
    },
    stdin: instruction,
    files: { '.qwen/settings.json': JSON.stringify(settings) },
  }),
  parseLine: line => streamJsonEvents(line, { commands, edits, cachedApart: false }),
  ignoresNoProxy: true,
  exitCodes: { 41: 'it could not log in', 52: 'its configuration is not usable', 53: 'it reached its limit of turns' },
};

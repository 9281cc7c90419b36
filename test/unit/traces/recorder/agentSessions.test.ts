import { describe, expect, it } from 'vitest';
import type { LaunchOrigin } from '../../../../server/traces/recorder/recorderMessages.ts';
import { toRequestChanges } from '../../../../server/traces/sessions/requestChanges.ts';
import { wholeSession } from '../../../../server/traces/sessions/sessionReader.ts';
import { reportOf } from '../../../../server/traces/sessions/sessionReport.ts';
import { anOrigin, aRecorder, type Traffic } from '../recordedTraffic.ts';

const launch: LaunchOrigin = { id: 'l1', agent: null, label: null, trialId: null, replay: false };
const startedIn = (directory: string, host: string) => anOrigin({ host, launch: { ...launch, directory } });

const text = (words: string) => ({ type: 'text', text: words });
const messageReply = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [text('Done.')],
  usage: { input_tokens: 1, output_tokens: 1 },
});
const chatReply = JSON.stringify({
  id: 'chat_1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Done.' }, finish_reason: 'stop' }],
});

let requests = 0;

/** A request of Claude Code 2.1.197: its first line is new every time. */
function claude(system: string, messages: object[], tools: object[] = [{ name: 'Bash' }]): Traffic {
  const line = `x-anthropic-billing-header: cc_version=2.1.197.3d3; cc_entrypoint=sdk-cli; cch=${++requests};`;
  return {
    path: '/v1/messages',
    headers: { 'x-claude-code-session-id': 'claude-1' },
    request: { model: 'claude-opus-4-8', system: [text(line), text(system)], tools, messages },
    response: messageReply,
  };
}

const claudeTitle = claude(
  'Generate a concise, sentence-case title (3-7 words).',
  [{ role: 'user', content: [text('<session>\nFix the dates\n</session>\n\nWrite the title in English.')] }],
  [],
);
const claudeSystem = '# Environment\nYou have been invoked: \n - Primary working directory: /work/shop\n - Shell: bash';
const claudeAsks = (...more: object[]) =>
  claude(claudeSystem, [
    { role: 'user', content: [text('<system-reminder>\nToday is Monday.\n</system-reminder>'), text('Fix the dates')] },
    { role: 'system', content: 'The following deferred tools are now available via ToolSearch.' },
    ...more,
  ]);

function opencode(messages: object[], tools: object[] = [{ type: 'function', function: { name: 'bash' } }]): Traffic {
  const headers = { 'x-session-id': 'opencode-1' };
  return { path: '/v1/chat/completions', headers, request: { model: 'm', messages, tools }, response: chatReply };
}

const environment = '<env>\n  Working directory: /work/shop\n  Workspace root folder: /work/shop\n</env>';
const fix = { role: 'user', content: 'Fix the dates' };
const opencodeTitle = opencode(
  [
    { role: 'system', content: 'You are a title generator. You output ONLY a thread title.' },
    { role: 'user', content: 'Generate a title for this conversation:\n' },
    fix,
  ],
  [],
);

describe('a session of Claude Code', () => {
  function aClaudeSession() {
    const recorder = aRecorder();
    const anthropic = anOrigin({ host: 'api.anthropic.com' });
    const done = { role: 'assistant', content: [text('Done.')] };
    recorder.record(claudeTitle, 1000, anthropic);
    recorder.record(claudeAsks(), 2000, anthropic);
    recorder.record(claudeAsks(done, { role: 'user', content: 'And test them' }), 3000, anthropic);
    return recorder.store;
  }

  it('has the title that was asked for, and the turns that a person took', () => {
    const store = aClaudeSession();
    expect(store.session('claude-1')).toMatchObject({ title: 'Fix the dates', exchanges: 3 });
    expect(reportOf(wholeSession(store, 'claude-1')).turns).toBe(2);
  });

  it('says its instructions once, whatever line names each request to Anthropic', () => {
    const said = aClaudeSession().conversation('claude-1');
    expect(said.filter(item => item.text.includes('Primary working directory'))).toHaveLength(1);
    expect(JSON.stringify(said)).not.toContain('x-anthropic-billing-header');
  });

  it('has requests of which only what was added has changed', () => {
    const store = aClaudeSession();
    const [, before, after] = store.exchangesOfSession('claude-1').map(({ id }) => store.wholeExchange(id));
    if (before == null || after == null) throw new Error('Not there.');
    expect(toRequestChanges(before, after)).toMatchObject({ prefixKept: true, settings: [] });
  });
});

describe('the title and the turns of a session', () => {
  it.each([
    [opencodeTitle],
    [opencode([{ role: 'user', content: 'Conversation so far:\nuser: Fix them\n\nGenerate the session title now.' }])],
  ])('are of what a person asked, whatever title the program asks for before and after', title => {
    const { record, store } = aRecorder();
    const asks = (...more: object[]) => opencode([{ role: 'system', content: environment }, fix, ...more]);
    record(title);
    expect(store.session('opencode-1')?.title).toBe('Untitled session');
    record(asks());
    record(title);
    record(asks({ role: 'assistant', content: 'Done.' }, { role: 'user', content: 'And test them' }));
    expect(store.session('opencode-1')?.title).toBe('Fix the dates');
    expect(reportOf(wholeSession(store, 'opencode-1')).turns).toBe(2);
    const prompts = store.conversation('opencode-1').filter(({ kind }) => kind === 'user');
    expect(prompts.map(({ text }) => text)).toEqual(['Fix the dates', 'And test them']);
  });

  it.each([
    'This is the Qwen Code. We are setting up the context for our chat.\nToday is Monday.',
    '<session_context>\nThis is the Gemini CLI. We are setting up the context for our chat.\n</session_context>',
    'quota',
    '[Request interrupted by user for tool use]',
    'This session is being continued from a previous conversation that ran out of context.',
    '<task-notification>\n<task-id>b1</task-id>\n</task-notification>',
  ])('leave out what an agent’s program writes: %s', words => {
    const { record, store } = aRecorder();
    record(opencode([{ role: 'user', content: words }, fix]));
    expect(store.session('opencode-1')?.title).toBe('Fix the dates');
    expect(reportOf(wholeSession(store, 'opencode-1')).turns).toBe(1);
  });

  it('keep what a person says in words like those', () => {
    const { record, store } = aRecorder();
    record(opencode([{ role: 'user', content: 'quota is wrong in <session>' }]));
    expect(store.session('opencode-1')?.title).toBe('quota is wrong in <session>');
  });
});

describe('the directory of a session', () => {
  it.each([
    [claudeSystem],
    [environment],
    ['You are Claude Code.\n<env>\nWorking directory: /work/shop\nIs directory a git repo: Yes\n</env>'],
    ["This is the Qwen Code.\nI'm currently working in the directory: /work/shop\nHere is the folder structure"],
    ["I'm currently working in the following directories:\n  - /work/shop\n  - /work/other"],
    ['<session_context>\n- **Workspace Directories:**\n  - /work/shop\n- **Directory Structure:**\n</session_context>'],
  ])('is the one that its agent writes before the prompt: %s', system => {
    const { record, store } = aRecorder();
    record(opencode([{ role: 'system', content: system }, fix]));
    expect(store.session('opencode-1')?.repository).toBe('/work/shop');
  });

  it('is no path in other words, and none that a prompt names', () => {
    const { record, store } = aRecorder();
    const words = 'Working directory: see below\nCurrent working directory: src/app.';
    record(
      opencode([
        { role: 'system', content: words },
        { role: 'user', content: 'Working directory: /etc' },
      ]),
    );
    expect(store.session('opencode-1')?.repository).toBeNull();
  });

  it('is where it was started, until its agent says where it works, which stays', () => {
    const { record, store } = aRecorder();
    const origin = startedIn('/work', 'api.deepseek.com');
    record(opencodeTitle, 1000, origin);
    expect(store.session('opencode-1')?.repository).toBe('/work');
    record(opencode([{ role: 'system', content: environment }, fix]), 2000, origin);
    expect(store.session('opencode-1')?.repository).toBe('/work/shop');
    record(opencode([{ role: 'system', content: 'Working directory: /work/tree' }, fix]), 3000, origin);
    record(opencode([fix]), 4000, origin);
    expect(store.session('opencode-1')?.repository).toBe('/work/shop');
  });

  it('stays the one that its agent named also where it was started there', () => {
    const { record, store } = aRecorder();
    const origin = startedIn('/work/shop', 'api.deepseek.com');
    record(opencode([{ role: 'system', content: environment }, fix]), 1000, origin);
    record(opencode([{ role: 'system', content: 'Working directory: /work/tree' }, fix]), 2000, origin);
    expect(store.session('opencode-1')?.repository).toBe('/work/shop');
  });

  it('stays so after a restart, and can be said yet where nobody asked for anything before', () => {
    const before = aRecorder();
    const origin = startedIn('/work/shop', 'api.deepseek.com');
    const elsewhere = opencode([{ role: 'system', content: 'Working directory: /work/tree' }, fix]);
    before.record(opencode([{ role: 'system', content: environment }, fix]), 1000, origin);
    before.record({ ...opencodeTitle, headers: { 'x-session-id': 'opencode-2' } }, 1000, origin);
    before.stop();
    const after = aRecorder(120_000, before.directory);
    after.record(elsewhere, 2000, origin);
    after.record({ ...elsewhere, headers: { 'x-session-id': 'opencode-2' } }, 2000, origin);
    expect(after.store.session('opencode-1')?.repository).toBe('/work/shop');
    expect(after.store.session('opencode-2')?.repository).toBe('/work/tree');
  });
});

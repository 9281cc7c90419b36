import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codex } from '../../server/agents/codex.ts';
import { startFakeUpstream } from '../fakes/upstream.ts';
import { requireFeature } from '../require.ts';
import { aSampleRepository } from '../sampleRepository.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, provideCodex, type World } from '../world.ts';
import { anEditorWorld, sharedEditorTools } from './editorWorld.ts';
import type { Workbench } from './workbench.ts';

const canEdit = requireFeature('browser') && requireFeature('editor');
const canRunCodex = requireFeature('codex');
const seconds = 1000;
const patience = { timeout: 30 * seconds };
const turn = '--dangerously-bypass-approvals-and-sandbox -m gpt-5.5 -c analytics.enabled=false --disable plugins';

/** Agents in the editor's own terminals. */
describe.skipIf(!canEdit)('in the terminals of the editor', () => {
  const tools = sharedEditorTools();

  it.skipIf(!canRunCodex)(
    'the real Codex is recorded, noticed when it ends, and offered as a task',
    async () => {
      const { world, repository, program, codexHome } = await aCodexWorld();
      const editor = await tools.open(world, repository);
      await editor.openSideBar();
      await editor.page.getByText('No session recorded yet.').waitFor();
      await editor.command('Codex Coach: Open Coached Terminal');
      await inTerminal(editor, `${program} exec ${turn} "Add a greeting."`);
      const toast = editor.page.locator('.notification-list-item', { hasText: 'codex has ended: “Add a greeting.”' });
      await toast.waitFor({ timeout: 60 * seconds });
      await editor.row('Sessions', /^Add a greeting\., .*codex/).waitFor();
      await editor.statusBar(/Coach · .* tokens/).waitFor();
      await editor.screenshot('terminal-agent-ended');

      // As it is once there was a background server.
      mkdirSync(join(codexHome, 'app-server-control'));
      await inTerminal(editor, `${program} features list`);
      const warning = editor.page.locator('.notification-list-item', { hasText: 'codex --no-daemon' });
      await warning.waitFor(patience);
      await editor.screenshot('terminal-shared-codex');

      await toast.getByRole('button', { name: 'Save as Task…' }).click();
      await editor.answer('Add a greeting');
      await editor.row('Tasks', /^Add a greeting, created/).waitFor(patience);
      await editor.screenshot('task-from-session');

      await editor.command('Codex Coach: Search Sessions…');
      await editor.page.locator('.quick-input-widget input.input').first().fill('greeting');
      await editor.page
        .locator('.quick-input-list .monaco-list-row', { hasText: '«greeting»' })
        .first()
        .waitFor(patience);
      await editor.screenshot('session-search');
      await editor.page.keyboard.press('Escape');

      await editor.command('Codex Coach: Filter Sessions…');
      await editor.pick('Title Contains…');
      await editor.answer('nothing of this kind');
      await editor.page.getByText('No session matches the filter.').waitFor();
      await editor.screenshot('session-filter-empty');
      await editor.page.getByRole('button', { name: 'Clear Session Filter' }).last().click();
      await editor.row('Sessions', /^Add a greeting\., .*codex/).waitFor();
    },
    240 * seconds,
  );

  it(
    'agents are recorded in all of them once that is turned on, and no more once it is off',
    async () => {
      const world = anEditorWorld();
      const repository = await aSampleRepository();
      const editor = await tools.open(world, repository);
      await editor.openSideBar();
      await editor.page.getByText('No session recorded yet.').waitFor();
      await editor.command('Codex Coach: Turn Recording of All Terminals On or Off');
      await editor.page.getByText('Agents in new terminals of this workspace are recorded.').first().waitFor();
      await editor.statusBar('Coach').waitFor();
      await editor.command('Terminal: Create New Terminal');
      await inTerminal(editor, 'echo "route=$HTTPS_PROXY;"');
      await expect.poll(() => terminalText(editor), patience).toMatch(/route=http:\/\/127\.0\.0\.1:\d+;/);
      await editor.screenshot('terminals-routed');

      await editor.command('Codex Coach: Turn Recording of All Terminals On or Off');
      await editor.page.getByText('New terminals are no longer recorded').first().waitFor();
      await editor.command('Terminal: Create New Terminal');
      await inTerminal(editor, 'echo "after=$HTTPS_PROXY;"');
      await expect.poll(() => terminalText(editor), patience).toContain('after=;');
    },
    120 * seconds,
  );

  it(
    'an agent that is led to a gateway goes on when that is turned off, and when its window is loaded anew',
    async () => {
      const gateway = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
      onTestFinished(() => void gateway.close());
      await once(gateway, 'listening');
      const baseUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/v1`;
      const world = anEditorWorld({ OPENAI_BASE_URL: baseUrl });
      const editor = await tools.open(world, await aSampleRepository());
      await editor.openSideBar();
      await editor.page.getByText('No session recorded yet.').waitFor();
      await editor.command('Codex Coach: Turn Recording of All Terminals On or Off');
      const launches = () => readFileSync(join(world.paths.home, 'launches.json'), 'utf8');
      await expect.poll(launches, patience).toContain('"digest"');
      // Its variables are on their way to the window.
      await editor.page.waitForTimeout(1 * seconds);
      const directory = temporaryDirectory();
      const [agent, answers] = [join(directory, 'agent.mjs'), join(directory, 'answers')];
      writeFileSync(
        agent,
        `import { appendFileSync } from 'node:fs';
        const { OPENAI_BASE_URL: url } = process.env;
        setInterval(async () => {
          const { status } = await fetch(url + '/models');
          appendFileSync(${JSON.stringify(answers)}, (url === '${baseUrl}' ? 'straight' : 'led') + ' ' + status + '\\n');
        }, 300);`,
      );
      const answered = () => (existsSync(answers) ? readFileSync(answers, 'utf8').trim().split('\n') : []);
      const goesOn = async () => {
        const before = answered().length;
        await expect.poll(() => answered().length, patience).toBeGreaterThan(before + 3);
        expect(new Set(answered())).toEqual(new Set(['led 200']));
      };
      await editor.command('Terminal: Create New Terminal');
      await inTerminal(editor, `node ${agent}`);
      await goesOn();
      await editor.command('Codex Coach: Turn Recording of All Terminals On or Off');
      await editor.page.getByText('New terminals are no longer recorded').first().waitFor();
      await goesOn();
      await editor.command('Codex Coach: Turn Recording of All Terminals On or Off');
      await editor.page.getByText('Agents in new terminals of this workspace are recorded.').first().waitFor();
      await editor.page.reload();
      await editor.page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60 * seconds });
      await editor.statusBar('Coach').waitFor({ timeout: 60 * seconds });
      await goesOn();
    },
    180 * seconds,
  );
});

async function terminalText(editor: Workbench): Promise<string> {
  return (await editor.page.locator('.xterm-rows').allTextContents()).join('\n');
}

/** Types into the terminal that was just opened, once its shell has printed a prompt. A long output has a second view. */
async function inTerminal(editor: Workbench, line: string): Promise<void> {
  await expect
    .poll(() => editor.page.locator('.terminal-wrapper.active .xterm-rows').first().textContent(), patience)
    .toMatch(/[$#]/);
  await editor.page.locator('.terminal-wrapper.active .xterm-helper-textarea').first().focus();
  await editor.page.keyboard.type(line);
  await editor.page.keyboard.press('Enter');
}

/** A world whose model host is a fake upstream, with the real Codex and a home of its own for it. */
async function aCodexWorld(): Promise<{ world: World; repository: string; program: string; codexHome: string }> {
  const patch = '*** Begin Patch\n*** Add File: src/greeting.js\n+export const greeting = "hello";\n*** End Patch\n';
  const steps = [
    { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c1', status: 'completed', name: 'apply_patch', input: patch },
  ];
  const content = [{ type: 'output_text', text: 'The greeting is there.', annotations: [] }];
  const done = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content };
  const upstream = await startFakeUpstream({
    model: ({ outputs, forced }) => forced ?? [steps[outputs.length] ?? done],
  });
  onTestFinished(() => upstream.dispose());
  const codexHome = join(temporaryDirectory(), 'codex-home');
  mkdirSync(codexHome);
  const world = aWorld({
    COACH_IDLE_SECS: '15',
    COACH_UPSTREAMS: `api.openai.com=${upstream.origin},chatgpt.com=${upstream.origin}`,
    CODEX_HOME: codexHome,
    CODEX_API_KEY: 'sk-test-of-terminals-0123456789',
  });
  provideCodex(world);
  const version = codex.package?.version ?? '';
  const program = join(world.paths.cache, 'agents', 'codex', version, 'program', 'bin', 'codex');
  return { world, repository: await aSampleRepository(), program, codexHome };
}

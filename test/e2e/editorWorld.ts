import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { hostTarget } from '../../scripts/build.ts';
import { installCodeServer, installExtension } from '../../scripts/codeServer.ts';
import { packageExtension } from '../../scripts/package.ts';
import { codeServerDirectory } from '../require.ts';
import { aWorld, type World } from '../world.ts';
import { launchBrowser } from './chromium.ts';
import { packPlainExtension } from './hostProbe.ts';
import { startWorkbench, Workbench } from './workbench.ts';

/** What all editor tests share: code-server, the VSIX, a browser. Made once, it takes minutes the first time. */
export interface EditorTools {
  open(world: World, folder: string, settings?: Readonly<Record<string, unknown>>): Promise<Workbench>;
}

const installTimeoutMs = 600_000;

/**
 * The tools for the tests of a suite, which it registers: there before the first of them, gone after the last. `beside` are
 * directories of extensions that are installed, too.
 */
export function sharedEditorTools(beside: readonly string[] = []): EditorTools {
  let tools: Awaited<ReturnType<typeof makeTools>> | undefined;
  beforeAll(async () => {
    tools = await makeTools(beside);
  }, installTimeoutMs);
  afterAll(() => tools?.dispose());
  return {
    open(...how) {
      if (tools === undefined) throw new Error('The editor is there in tests only.');
      return tools.open(...how);
    },
  };
}

/** Its server leaves soon by itself: one that the editor is just starting can't be asked to. */
export function anEditorWorld(more: NodeJS.ProcessEnv = {}): World {
  return aWorld({ COACH_IDLE_SECS: '15', ...more });
}

async function makeTools(beside: readonly string[]) {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-editor-'));
  const entry = await installCodeServer(codeServerDirectory, console.log);
  const vsix =
    process.env['COACH_TEST_VSIX'] || (await packageExtension(hostTarget(), join(scratch, 'codex-coach.vsix')));
  const extensions = join(scratch, 'extensions');
  const packed = beside.map(directory => packPlainExtension(directory, basename(directory), scratch));
  for (const file of [vsix, ...packed]) {
    await installExtension(entry, { profile: join(scratch, 'installer'), extensions, env: process.env }, file);
  }
  const browser: Browser = await launchBrowser(scratch);
  let editors = 0;
  return {
    async open(world: World, folder: string, settings: Readonly<Record<string, unknown>> = {}): Promise<Workbench> {
      const profile = join(scratch, `profile-${++editors}`);
      mkdirSync(world.paths.home, { recursive: true, mode: 0o700 });
      const editor = await startWorkbench({ entry, profile, extensions, folder, env: world.env, settings });
      onTestFinished(() => editor.stop());
      const workbench = await Workbench.open(browser, editor, folder);
      onTestFinished(() => workbench.page.context().close());
      return workbench;
    },
    async dispose(): Promise<void> {
      await browser.close();
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { hostTarget } from '../../scripts/build.ts';
import { installCodeServer } from '../../scripts/codeServer.ts';
import { packageExtension } from '../../scripts/package.ts';
import { codeServerDirectory } from '../require.ts';
import type { World } from '../world.ts';
import { launchBrowser } from './chromium.ts';
import { startWorkbench, Workbench } from './workbench.ts';

/** What all editor tests share: code-server, the VSIX, a browser. Made once, it takes minutes the first time. */
export interface EditorTools {
  open(world: World, folder: string, settings?: Readonly<Record<string, unknown>>): Promise<Workbench>;
  dispose(): Promise<void>;
}

export async function editorTools(): Promise<EditorTools> {
  const scratch = mkdtempSync(join(tmpdir(), 'coach-editor-'));
  const entry = await installCodeServer(codeServerDirectory, console.log);
  const vsix = await packageExtension(hostTarget(), join(scratch, 'codex-coach.vsix'));
  const browser: Browser = await launchBrowser(scratch);
  let editors = 0;
  return {
    async open(world, folder, settings = {}) {
      const profile = join(scratch, `profile-${++editors}`);
      mkdirSync(world.paths.home, { recursive: true, mode: 0o700 });
      const editor = await startWorkbench({ entry, vsix, profile, folder, env: world.env, settings });
      onTestFinished(() => editor.stop());
      const workbench = await Workbench.open(browser, editor, folder);
      onTestFinished(() => workbench.page.context().close());
      return workbench;
    },
    async dispose() {
      await browser.close();
      rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

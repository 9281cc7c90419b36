import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { type CodeServer, startCodeServer } from '../../scripts/codeServer.ts';
import { root } from '../../scripts/root.ts';

export const screenshots = join(root, 'dist', 'screenshots');

/** Same look on every machine, no blinking, no prompts of the editor itself. */
const testSettings = {
  'security.workspace.trust.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'workbench.reduceMotion': 'on',
  'editor.cursorBlinking': 'solid',
  'workbench.colorTheme': 'Default Dark Modern',
  // Its rows are then elements that a test can read.
  'terminal.integrated.gpuAcceleration': 'off',
  // Nobody here needs types, or the network for them.
  'typescript.tsserver.useSyntaxServer': 'always',
  'typescript.disableAutomaticTypeAcquisition': true,
};

export interface WorkbenchOptions {
  readonly entry: string;
  readonly profile: string;
  /** Where the packaged extension was installed. */
  readonly extensions: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A real editor with the packaged extension. `open` gives a window of it in the browser. */
export function startWorkbench({ entry, folder, settings, ...profile }: WorkbenchOptions): Promise<CodeServer> {
  return startCodeServer(entry, profile, folder, { ...testSettings, ...settings });
}

/** Settings with which the window follows what the system likes; `screenshots` needs them. */
export const systemTheme = {
  'window.autoDetectColorScheme': true,
  'window.autoDetectHighContrast': true,
  'workbench.preferredLightColorTheme': 'Default Light Modern',
  'workbench.preferredDarkColorTheme': testSettings['workbench.colorTheme'],
  'workbench.preferredHighContrastColorTheme': 'Default High Contrast',
};

/** What the system likes, by what ends the names of the pictures, and the class of a window that shows it. */
const looks = {
  light: { media: { colorScheme: 'light', forcedColors: 'none' }, shown: '.vs' },
  'high-contrast': { media: { colorScheme: 'dark', forcedColors: 'active' }, shown: '.hc-black' },
  dark: { media: { colorScheme: 'dark', forcedColors: 'none' }, shown: '.vs-dark' },
} as const;

/** One window, driven as a person does: by what is on the screen. */
export class Workbench {
  readonly page: Page;
  readonly #settingsFile: string;

  constructor(page: Page, { settingsFile }: Pick<CodeServer, 'settingsFile'>) {
    this.page = page;
    this.#settingsFile = settingsFile;
  }

  static async open(browser: Browser, editor: CodeServer, folder: string): Promise<Workbench> {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    await page.goto(`${editor.url}?folder=${encodeURIComponent(folder)}`);
    await page.locator('.monaco-workbench .activitybar').waitFor({ timeout: 60_000 });
    return new Workbench(page, editor);
  }

  /**
   * Runs a command from the palette by its full title. What the palette offers is fixed when it opens, so a command that
   * waits for the server to be up is looked for again, as a person would.
   */
  async command(title: string, patienceMs = 60_000): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input').first();
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    for (const deadline = Date.now() + patienceMs; ; await this.page.keyboard.press('Escape')) {
      await this.page.keyboard.press('F1');
      // A window that is busy may lose the key.
      const typed = input.fill(`>${title}`, { timeout: 3000 });
      const offered = await typed
        .then(() => row.waitFor({ timeout: 3000 }))
        .then(
          () => true,
          () => false,
        );
      if (offered) return row.click();
      if (Date.now() > deadline) throw new Error(`The palette does not offer "${title}".`);
    }
  }

  /** Opens our side bar. */
  async openSideBar(): Promise<void> {
    const tab = this.page.locator('.activitybar').getByRole('tab', { name: 'Codex Coach' });
    if ((await tab.getAttribute('aria-expanded')) !== 'true') await tab.click();
    await this.page.locator('.pane-header', { hasText: 'Tasks' }).waitFor();
  }

  tree(name: 'Tasks' | 'Runs' | 'Sessions'): Locator {
    return this.page.getByRole('tree', { name });
  }

  row(tree: 'Tasks' | 'Runs' | 'Sessions', name: string | RegExp): Locator {
    return this.tree(tree).getByRole('treeitem', { name });
  }

  /** Chooses in the quick pick that is open. With several choices, ticks them and confirms. */
  async pick(...names: (string | RegExp)[]): Promise<void> {
    const list = this.page.locator('.quick-input-widget .quick-input-list');
    for (const name of names) await list.locator('.monaco-list-row', { hasText: name }).first().click();
  }

  async confirmPick(): Promise<void> {
    await this.page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
  }

  /** Answers the input box that is open. */
  async answer(text: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input.input').first();
    await input.fill(text);
    await input.press('Enter');
  }

  /** Presses a button of the modal dialog. */
  async dialog(button: string): Promise<void> {
    await this.page.locator('.monaco-dialog-box').getByRole('button', { name: button }).click();
  }

  /** Our item of the status bar with this text. */
  statusBar(text: string | RegExp): Locator {
    return this.page.locator('.statusbar-item', { hasText: text });
  }

  /** The content of the webview that is open. Two frames: the editor's, and ours in it. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  }

  /** The same state of the window in light, high contrast and dark, in which it stays. Nothing loses the focus. */
  async screenshots(name: string): Promise<void> {
    for (const [ending, { media, shown }] of Object.entries(looks)) {
      await this.page.emulateMedia(media);
      await this.page.locator(`.monaco-workbench${shown}`).waitFor();
      await this.screenshot(`${name}-${ending}`);
    }
  }

  /** Ticks or unticks a setting, off by default, in the editor of settings, which it closes again. */
  async tick(setting: string, ticked: boolean): Promise<void> {
    await this.command('Preferences: Open Settings (UI)');
    await this.page.locator('.settings-editor .suggest-input-container').click();
    await this.page.keyboard.type(setting);
    const item = `.settings-editor [data-key="${setting}"]`;
    await this.page.locator(`${item} .setting-value-checkbox`).first().click();
    // It is kept a moment after the tick, or not at all where the editor is closed before.
    const kept = () => (JSON.parse(readFileSync(this.#settingsFile, 'utf8')) as Record<string, unknown>)[setting];
    for (let looks = 0; (kept() === true) !== ticked; looks++) {
      if (looks > 100) throw new Error(`${setting} was not kept.`);
      await this.page.waitForTimeout(100);
    }
    // It stands above the window, which has no other focus until it is closed.
    await this.page.keyboard.press('Escape');
    await this.page.locator('.settings-editor').waitFor({ state: 'hidden' });
  }

  /** Sets what holds on this machine for all windows: the only settings that a background server is started with. */
  setOnMachine(settings: Readonly<Record<string, unknown>>): void {
    const directory = join(dirname(dirname(this.#settingsFile)), 'Machine');
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'settings.json'), JSON.stringify(settings));
  }

  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`) });
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { writeRepository } from '../integration/benchFixture.ts';
import { requireFeature } from '../require.ts';
import { temporaryDirectory } from '../temporary.ts';
import { aWorld, type World } from '../world.ts';
import { sharedEditorTools } from './editorWorld.ts';
import { ExtensionHost, probeDirectory } from './hostProbe.ts';
import { list, reviewedWorld } from './reviewWorld.ts';

vi.setConfig({ testTimeout: 240_000 });

const canRun = requireFeature('browser') && requireFeature('editor');
const patience = { timeout: 30_000 };

/** What other extensions, and the editor itself, get from ours through the editor's API. */
describe.skipIf(!canRun)('in the extension host', () => {
  const tools = sharedEditorTools([probeDirectory]);

  async function aHost(world: World, root: string): Promise<ExtensionHost> {
    const portFile = join(temporaryDirectory(), 'port');
    world.env['HOST_PROBE_PORT_FILE'] = portFile;
    await tools.open(world, root);
    const host = new ExtensionHost(portFile);
    const isActive = () =>
      host.run(vscode => vscode.extensions.getExtension('codex-coach.codex-coach')?.isActive === true);
    await expect.poll(isActive, patience).toBe(true);
    return host;
  }

  it('every command of the manifest is there, and the file of a task is understood', async () => {
    const root = join(temporaryDirectory(), 'numbers');
    writeRepository(root);
    const file = join(root, '.coach', 'tasks', 'prepared', 'median', 'task.toml');
    const good = readFileSync(file, 'utf8');
    writeFileSync(file, good.replace('"junit"', '"junti"'));
    const uri = pathToFileURL(file).href;
    const host = await aHost(aWorld(), root);

    const missing = await host.run(async vscode => {
      const there = new Set(await vscode.commands.getCommands(true));
      const extension = vscode.extensions.getExtension('codex-coach.codex-coach');
      return extension?.packageJSON.contributes.commands
        .map(({ command }: { command: string }) => command)
        .filter((id: string) => !there.has(id));
    });
    expect(missing).toEqual([]);

    const problems = () =>
      host.run(async (vscode, at) => {
        const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(at));
        return vscode.languages
          .getDiagnostics(document.uri)
          .map(({ message, range }) => [document.getText(range), message]);
      }, uri);
    await expect.poll(problems, patience).toEqual([['"junti"', expect.stringContaining('junit')]]);

    const fixed = await host.run(async (vscode, at) => {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(at));
      const [problem] = vscode.languages.getDiagnostics(document.uri);
      const range = problem?.range ?? new vscode.Range(0, 0, 0, 0);
      const actions = await vscode.commands.executeCommand<import('vscode').CodeAction[]>(
        'vscode.executeCodeActionProvider',
        document.uri,
        range,
      );
      const edit = actions.find(action => action.edit !== undefined)?.edit;
      if (edit !== undefined) await vscode.workspace.applyEdit(edit);
      await document.save();
      return document.getText();
    }, uri);
    expect(fixed).toBe(good);
    expect(readFileSync(file, 'utf8')).toBe(good);
    await expect.poll(problems, patience).toEqual([]);

    const ask = () =>
      host.run(async (vscode, at) => {
        const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(at));
        const place = document.positionAt(document.getText().indexOf('timeout_sec') + 2);
        const provided = <T>(command: string, ...more: unknown[]) =>
          vscode.commands.executeCommand<T>(command, document.uri, ...more);
        const hovers = await provided<import('vscode').Hover[]>('vscode.executeHoverProvider', place);
        const items = await provided<import('vscode').CompletionList>('vscode.executeCompletionItemProvider', place);
        const lenses = await provided<import('vscode').CodeLens[]>('vscode.executeCodeLensProvider', 10);
        const links = await provided<import('vscode').DocumentLink[]>('vscode.executeLinkProvider');
        return {
          hover: hovers.flatMap(({ contents }) => contents.map(text => (typeof text === 'string' ? text : text.value))),
          completions: items.items.map(({ label }) => (typeof label === 'string' ? label : label.label)),
          lenses: lenses.map(({ command }) => command?.title),
          links: links.map(({ target }) => target?.path),
        };
      }, uri);
    // The task is read from the disk, where it has just become right.
    await expect.poll(async () => (await ask()).lenses, patience).toEqual(['Run', 'Validate']);
    const { hover, completions, links } = await ask();
    expect(hover.join()).toContain('Seconds that an agent may work');
    expect(completions).toContain('timeout_sec');
    expect(links).toContain(join(root, '.coach', 'tasks', 'prepared', 'median', 'instruction.md'));
  });

  it.skipIf(!requireFeature('sandbox'))(
    'the files of a trial can be read and not written, with a choice above each change of the agent',
    async () => {
      const { world, root, trials } = await reviewedWorld();
      const trial = trials.find(({ agentLabel }) => agentLabel === 'oracle');
      if (trial === undefined) throw new Error('The reference has not run.');
      const host = await aHost(world, root);
      const uri = (side: string, path: string) => `codex-coach://${side}/${path}?trial%3D${trial.id}`;
      const read = (side: string, path: string) =>
        host.run(
          async (vscode, at) => {
            const content = await vscode.workspace.fs.readFile(vscode.Uri.parse(at));
            return Buffer.from(content).toString('utf8');
          },
          uri(side, path),
        );
      expect(await read('start', 'src/list.js')).toBe(list());
      const solved = list({ 2: 'second', 14: 'fourteenth', 28: 'twenty-eighth' });
      expect(await read('agent', 'src/list.js')).toBe(solved);
      expect(await read('reference', 'src/list.js')).toBe(solved);
      await expect(read('agent', 'src/none.js')).rejects.toThrow(/none\.js/);

      const refused = await host.run(
        async (vscode, at) => {
          const file = vscode.Uri.parse(at);
          const { permissions } = await vscode.workspace.fs.stat(file);
          const attempts = [
            vscode.workspace.fs.writeFile(file, Buffer.from('mine')),
            vscode.workspace.fs.delete(file),
            vscode.workspace.fs.rename(file, file.with({ path: '/other.js' })),
          ];
          const ends = await Promise.allSettled(attempts);
          return [permissions === vscode.FilePermission.Readonly, ...ends.map(({ status }) => status)];
        },
        uri('agent', 'src/list.js'),
      );
      expect(refused).toEqual([true, 'rejected', 'rejected', 'rejected']);

      await host.run(async (vscode, reviewed) => {
        await vscode.commands.executeCommand('codexCoach.reviewDiff', { kind: 'trial', trial: reviewed });
      }, trial);
      const lenses = (pressed: number | null) =>
        host.run(
          async (vscode, at, press) => {
            const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(at));
            const found = await vscode.commands.executeCommand<import('vscode').CodeLens[]>(
              'vscode.executeCodeLensProvider',
              document.uri,
              20,
            );
            const { command } = found[press ?? -1] ?? {};
            if (command !== undefined)
              await vscode.commands.executeCommand(command.command, ...(command.arguments ?? []));
            return found.map(({ command: shown, range }) => `${range.start.line + 1} ${shown?.title}`);
          },
          uri('agent', 'src/list.js'),
          pressed,
        );
      const choices = ['2 Accept', '2 Reject', '14 Accept', '14 Reject', '28 Accept', '28 Reject'];
      await expect.poll(() => lenses(null), patience).toEqual(choices);
      await lenses(choices.indexOf('14 Reject'));
      const decided = choices.with(choices.indexOf('14 Reject'), '14 $(close) Rejected');
      await expect.poll(() => lenses(null), patience).toEqual(decided);
    },
  );
});

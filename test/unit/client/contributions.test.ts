import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { milestoneKey, milestones, viewId, views } from '../../../client/contributions.ts';
import { toContributes } from '../../../client/manifest.ts';
import { reviewCommands } from '../../../client/review/contributions.ts';
import { root } from '../../../scripts/root.ts';

const Contributes = z.object({
  commands: z.array(
    z.object({
      command: z.string(),
      title: z.string(),
      category: z.literal('Codex Coach'),
      icon: z.string().optional(),
      enablement: z.string().optional(),
    }),
  ),
  views: z.record(z.string(), z.array(z.object({ id: z.string() }))),
  viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
  menus: z.record(
    z.string(),
    z.array(z.object({ command: z.string(), when: z.string(), group: z.string().optional() })),
  ),
  walkthroughs: z.array(
    z.object({
      steps: z.array(
        z.object({
          id: z.string(),
          description: z.string(),
          media: z.object({ svg: z.string(), altText: z.string() }),
          completionEvents: z.array(z.string()),
        }),
      ),
    }),
  ),
  configuration: z.object({ properties: z.record(z.string(), z.object({ scope: z.string() })) }),
});

const contributes = Contributes.parse(toContributes());
const known = new Set(contributes.commands.map(({ command }) => command));

/** They read what was recorded, start our own server, or work on what only a trusted workspace can have begun. */
const harmless = new Set([
  ...['openWalkthrough', 'refresh', 'showStatus', 'restartServer', 'openServerLog', 'forgetApiKeys'],
  ...['openSession', 'searchSessions', 'filterSessions', 'clearSessionFilter'],
  ...Object.keys(reviewCommands),
]);

describe('what the extension adds to the editor', () => {
  it('has only menu entries of commands that exist', () => {
    const used = Object.values(contributes.menus)
      .flat()
      .map(({ command }) => command);
    expect(used.filter(command => !known.has(command))).toEqual([]);
  });

  it('has only links to commands that exist, ours or the editor’s', () => {
    const texts = [
      ...contributes.viewsWelcome.map(({ contents }) => contents),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
    ];
    const links = texts.flatMap(text => [...text.matchAll(/\(command:([\w.]+)\)/g)].map(match => match[1] ?? ''));
    expect(links.filter(link => link.startsWith('codexCoach.') && !known.has(link))).toEqual([]);
  });

  it('says something in every view when it is empty, when the server is down, and in an untrusted workspace', () => {
    for (const name of Object.keys(views) as (keyof typeof views)[]) {
      const conditions = contributes.viewsWelcome.filter(({ view }) => view === viewId(name)).map(({ when }) => when);
      expect(conditions.some(when => when.includes('== down'))).toBe(true);
      expect(conditions.some(when => when.includes('== up'))).toBe(true);
      expect(conditions.some(when => when.startsWith('!isWorkspaceTrusted'))).toBe(true);
    }
  });

  it('has one next action for a folder without a repository, and for a repository without a commit', () => {
    for (const view of [viewId('tasks'), viewId('runs')]) {
      for (const [state, command] of [
        ['none', 'initRepository'],
        ['empty', 'firstCommit'],
      ] as const) {
        const texts = contributes.viewsWelcome.filter(
          welcome => welcome.view === view && welcome.when.includes(`codexCoach.repository == ${state}`),
        );
        const buttons = texts.flatMap(({ contents }) => contents.split('\n').filter(line => line.startsWith('[')));
        expect(buttons).toEqual([expect.stringContaining(`(command:codexCoach.${command})`)]);
      }
    }
  });

  it('offers to end a recording where it would offer to start one, in the views that are empty while it goes on', () => {
    const recordingIs = (when: string) => (when.includes('!codexCoach.recording') ? 'off' : 'on');
    const offered = contributes.viewsWelcome
      .filter(({ when }) => when.includes('codexCoach.recording'))
      .map(({ view, contents, when }) => [
        view,
        recordingIs(when),
        ...contents.split('\n').flatMap(line => /^\[.*command:codexCoach\.(\w+)/.exec(line)?.[1] ?? []),
      ]);
    expect(offered).toEqual([
      [viewId('tasks'), 'off', 'startRecording'],
      [viewId('tasks'), 'on', 'endRecording', 'discardRecording'],
      [viewId('runs'), 'on', 'endRecording'],
      [viewId('runs'), 'off', 'startRecording'],
    ]);
  });

  it('shows no marks in the walkthrough that the editor does not render', () => {
    const texts = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description));
    expect(texts.filter(text => /[`*_#]/.test(text.replace(/\(command:[^)]*\)/g, '')))).toEqual([]);
  });

  it('names commands in one way: capitalized, and with … where more is asked before anything happens', () => {
    for (const { title } of contributes.commands) {
      expect(title).toMatch(/^[A-Z][^.:]*$/);
      expect(title).not.toMatch(/\.\.\.|Codex Coach/);
    }
  });

  it('has an icon for each command that shows on a row or above a view', () => {
    const icons = new Map(contributes.commands.map(({ command, icon }) => [command, icon]));
    const shown = ['view/title', 'view/item/context'].flatMap(menu => contributes.menus[menu] ?? []);
    const buttons = shown.filter(({ group }) => /^(inline|navigation)/.test(group ?? ''));
    expect(buttons.filter(({ command }) => icons.get(command) === undefined)).toEqual([]);
  });

  it('offers in the palette no command twice', () => {
    const palette = (contributes.menus['commandPalette'] ?? []).map(({ command }) => command);
    expect(palette).toHaveLength(new Set(palette).size);
  });

  it('ends each step of the walkthrough with what happened, and has a picture for it', () => {
    const steps = contributes.walkthroughs.flatMap(walkthrough => walkthrough.steps);
    expect(steps.map(({ id }) => id).sort()).toEqual([...milestones].sort());
    for (const { id, media, completionEvents } of steps) {
      expect(completionEvents).toEqual([`onContext:${milestoneKey(id as (typeof milestones)[number])}`]);
      expect(existsSync(join(root, media.svg))).toBe(true);
      expect(readFileSync(join(root, media.svg), 'utf8')).not.toMatch(/<script|href|#[0-9a-f]{6}(?!\))/i);
    }
  });

  it('offers no command that starts a program in an untrusted workspace', () => {
    const open = contributes.commands
      .filter(({ enablement }) => !(enablement ?? '').includes('isWorkspaceTrusted'))
      .map(({ command }) => command.replace('codexCoach.', ''));
    expect(open.filter(name => !harmless.has(name))).toEqual([]);
  });

  it('lets no workspace set the paths of programs or the network', () => {
    expect(contributes.configuration.properties['codexCoach.docker.host']?.scope).toBe('machine');
    expect(contributes.configuration.properties['codexCoach.proxy.port']?.scope).toBe('machine');
  });
});

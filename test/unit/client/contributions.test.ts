import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commandId, commands, toContributes, viewId, views } from '../../../client/contributions.ts';

const Contributes = z.object({
  commands: z.array(z.object({ command: z.string(), title: z.string(), category: z.literal('Codex Coach') })),
  views: z.record(z.string(), z.array(z.object({ id: z.string() }))),
  viewsWelcome: z.array(z.object({ view: z.string(), contents: z.string(), when: z.string() })),
  menus: z.record(z.string(), z.array(z.object({ command: z.string(), when: z.string(), group: z.string() }))),
  configuration: z.object({ properties: z.record(z.string(), z.object({ scope: z.string() })) }),
});

const contributes = Contributes.parse(toContributes());
const known = new Set(contributes.commands.map(({ command }) => command));

describe('what the extension adds to the editor', () => {
  it('has only menu entries of commands that exist', () => {
    const used = Object.values(contributes.menus)
      .flat()
      .map(({ command }) => command);
    expect(used.filter(command => !known.has(command))).toEqual([]);
  });

  it('has only welcome links to commands that exist, ours or the editor’s', () => {
    const links = contributes.viewsWelcome.flatMap(({ contents }) =>
      [...contents.matchAll(/\(command:([\w.]+)\)/g)].map(match => match[1] ?? ''),
    );
    expect(links.filter(link => link.startsWith('codexCoach.') && !known.has(link))).toEqual([]);
  });

  it('says something in every view when it is empty, when the server is down, and in an untrusted workspace', () => {
    for (const name of Object.keys(views) as (keyof typeof views)[]) {
      const conditions = contributes.viewsWelcome.filter(({ view }) => view === viewId(name)).map(({ when }) => when);
      expect(conditions.some(when => when.includes('== down'))).toBe(true);
      expect(conditions.some(when => when.includes('== up'))).toBe(true);
      expect(conditions).toContain('!isWorkspaceTrusted');
    }
  });

  it('offers no command that starts a program in an untrusted workspace', () => {
    const harmless = ['refresh', 'showStatus', 'openServerLog'];
    const open = Object.entries(commands).filter(
      ([name, spec]) =>
        !harmless.includes(name) && !('enablement' in spec && spec.enablement.includes('isWorkspaceTrusted')),
    );
    expect(open.map(([name]) => commandId(name as keyof typeof commands))).toEqual([]);
  });

  it('lets no workspace set the paths of programs or the network', () => {
    expect(contributes.configuration.properties['codexCoach.docker.host']?.scope).toBe('machine');
    expect(contributes.configuration.properties['codexCoach.proxy.port']?.scope).toBe('machine');
  });
});

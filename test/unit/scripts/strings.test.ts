import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../../../scripts/root.ts';
import { takeOutTexts, textsOf } from '../../../scripts/strings.ts';
import { temporaryDirectory } from '../../temporary.ts';

function aSource(text: string): string {
  const file = join(temporaryDirectory(), 'source.ts');
  writeFileSync(file, text);
  return file;
}

describe('texts of the manifest', () => {
  it('are taken out under keys that name what they belong to', () => {
    const { part, texts } = takeOutTexts({
      commands: [{ command: 'coach.run', title: 'Run', icon: '$(play)' }],
      viewsWelcome: [{ view: 'coach.runs', contents: 'None', when: 'x' }],
    });
    expect(part).toEqual({
      commands: [{ command: 'coach.run', title: '%commands.coach.run.title%', icon: '$(play)' }],
      viewsWelcome: [{ view: 'coach.runs', contents: '%viewsWelcome.coach.runs.0.contents%', when: 'x' }],
    });
    expect(texts).toEqual({ 'commands.coach.run.title': 'Run', 'viewsWelcome.coach.runs.0.contents': 'None' });
  });

  it('are all there for the keys of the manifest', () => {
    const manifest = readFileSync(join(root, 'package.json'), 'utf8');
    const texts = z
      .record(z.string(), z.string())
      .parse(JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')));
    const used = [...manifest.matchAll(/"%([^"%]+)%"/g)].map(match => match[1] ?? '');
    expect(used.length).toBeGreaterThan(50);
    expect(used.filter(key => texts[key] === undefined)).toEqual([]);
    expect(Object.keys(texts).sort()).toEqual([...new Set(used)].sort());
  });
});

describe('texts of the code', () => {
  it('are collected from the editor, its pages and the words of states', () => {
    const bundle = readFileSync(join(root, 'l10n', 'bundle.l10n.json'), 'utf8');
    for (const text of ['Open Task Instruction', 'Cost against reward', 'Budget spent']) {
      expect(bundle).toContain(`${JSON.stringify(text)}: `);
    }
  });

  it('are found in any quotes and on several lines', () => {
    const file = aSource(`
      vscode.l10n.t('One');
      vscode.l10n.t(
        'It\\'s {0} of {1}',
        a,
      );
      l10n.t("Two", x) + vscode.l10n.t(\`Three\`);
    `);
    expect(Object.keys(textsOf(file))).toEqual(['One', "It's {0} of {1}", 'Two', 'Three']);
  });

  it('must be literals: what is put together at run time can’t be translated', () => {
    expect(() => textsOf(aSource("vscode.l10n.t('a' + b)"))).toThrow('1 of 1 texts are no literals');
    expect(() => textsOf(aSource(['vscode.l10n.t(`a $', '{b}`)'].join('')))).toThrow('no literals');
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { write } from '../git/aRepository.ts';

/** Applies a patch in the format of Codex's `apply_patch` tool: added files, and updates by unique context. */
export function applyAgentPatch(root: string, patch: string): void {
  for (const section of patch.split(/^\*\*\* (?=Add File|Update File)/m).slice(1)) {
    const [heading = '', ...body] = section.replace(/^\*\*\* End Patch[\s\S]*$/m, '').split('\n');
    const path = heading.replace(/^\w+ File: /, '');
    if (heading.startsWith('Add')) {
      write(root, {
        [path]: body
          .map(line => `${line.slice(1)}\n`)
          .slice(0, -1)
          .join(''),
      });
      continue;
    }
    for (const hunk of body
      .join('\n')
      .split(/^@@.*\n/m)
      .slice(1)) {
      const lines = hunk.split('\n').filter(line => line !== '');
      const side = (dropped: string) =>
        lines
          .filter(line => !line.startsWith(dropped))
          .map(line => `${line.slice(1)}\n`)
          .join('');
      const before = readFileSync(join(root, path), 'utf8');
      if (!before.includes(side('+'))) throw new Error(`${path} has no such lines: ${hunk}`);
      write(root, { [path]: before.replace(side('+'), () => side('-')) });
    }
  }
}

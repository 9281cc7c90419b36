import { readdirSync, readFileSync } from 'node:fs';

/** Processes of this machine whose command line holds a word. */
export function processesWith(word: string): string[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(name => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter(line => line.includes(word));
}

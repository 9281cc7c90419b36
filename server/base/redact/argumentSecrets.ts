import type { SecretSpan } from './secretSpan.ts';

/** `--token …`, `-u name:password`, and `login … password …` as in a `.netrc`. */
const inArguments: readonly { readonly needs: readonly string[]; readonly pattern: RegExp }[] = [
  {
    needs: [' --'],
    pattern:
      / --(?:[a-z]{1,20}-){0,3}(?:password|token|api-?key|secret|passphrase) {1,3}\\{0,7}["']?([^\s"'\\$<>-][^\s"'\\]{5,})/g,
  },
  {
    needs: [' -u', ' --user'],
    pattern: / (?:-u|--user)[ =]{1,3}\\{0,7}["']?[^\s:"'\\]{1,64}:([^\s"'\\$]{3,})/g,
  },
  {
    needs: ['login'],
    pattern: /\blogin\s{1,5}[^\s\\]{1,100}(?:\s|\\[nrt]){1,5}password\s{1,5}([^\s"'\\]{3,200})/g,
  },
  {
    // An AWS secret key has no shape of its own; it stands near its id.
    needs: ['AKIA', 'ASIA'],
    pattern:
      /A(?:KIA|SIA)[A-Z0-9]{16}[^A-Za-z0-9+/]{1,40}(?:[A-Za-z_]{1,40}[^A-Za-z0-9+/]{1,10})?([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/])/g,
  },
];

/** Any of the `needs` above: one search where there is none. */
const anyArgument = /A[KS]IA| -(?:-|u)|login/;

/** Secrets that the words before them announce. */
export function argumentSecrets(text: string): SecretSpan[] {
  if (!anyArgument.test(text)) return [];
  return inArguments.flatMap(({ needs, pattern }) => {
    const found: SecretSpan[] = [];
    if (!needs.some(part => text.includes(part))) return found;
    for (const match of text.matchAll(pattern)) {
      const value = match[1] ?? '';
      const end = match.index + match[0].length;
      if (/\d/.test(value) && !/^[\d.:]+$/.test(value)) {
        found.push({ start: end - value.length, end, kind: 'credentials' });
      }
    }
    return found;
  });
}

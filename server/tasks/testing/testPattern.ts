/** Whether a path is meant: by a file, a directory, or a glob of `*`, `**`, `?`, `{a,b}` and `?(a|b)`. */
export function toMatcher(pattern: string): (path: string) => boolean {
  const plain = pattern.replace(/^\.\//, '').replace(/\/$/, '');
  const source = plain.replaceAll(
    /\?\(([^)]*)\)|\{([^}]*)\}|\*\*\/|\*\*|\*|\?|[.+^$()|[\]\\]/g,
    (token, optional, choice) => {
      if (optional !== undefined) return `(?:${optional})?`;
      if (choice !== undefined) return `(?:${choice.replaceAll('.', '\\.').replaceAll(',', '|')})`;
      return { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' }[token] ?? `\\${token}`;
    },
  );
  const whole = new RegExp(`^${source}$`);
  return path => whole.test(path) || (path.startsWith(`${plain}/`) && /\.[cm]?[jt]sx?$/.test(path));
}

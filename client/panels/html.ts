import { randomBytes } from 'node:crypto';

export interface PageSource {
  /** Name of the bundle and of its style. */
  readonly page: string;
  /** What a screen reader says first. */
  readonly title: string;
  /** Become `data-…` attributes of the body, which the page starts from. */
  readonly facts: Readonly<Record<string, string>>;
  readonly language: string;
  /** Texts of ours in that language, by their English; undefined in English. */
  readonly translations: Readonly<Record<string, string>> | undefined;
  /** Where the webview may load style from, as the editor words it. */
  readonly cspSource: string;
  /** Address of a file in dist/webview. */
  asset(name: string): string;
}

/** The document of a page: its bundle, its style, nothing else. No network, no inline script, no inline style. */
export function pageHtml({ page, title, facts, language, translations, cspSource, asset }: PageSource): string {
  const nonce = randomBytes(16).toString('base64');
  const policy = `default-src 'none'; style-src ${cspSource} 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  const started = translations === undefined ? facts : { ...facts, translations: JSON.stringify(translations) };
  const attributes = Object.entries(started).map(
    ([name, value]) => ` data-${toKebab(name)}="${escapeAttribute(value)}"`,
  );
  return `<!doctype html>
<html lang="${escapeAttribute(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeAttribute(title)}</title>
<link rel="stylesheet" href="${asset(`${page}.css`)}">
</head>
<body${attributes.join('')}>
<script nonce="${nonce}" src="${asset(`${page}.js`)}"></script>
</body>
</html>
`;
}

function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

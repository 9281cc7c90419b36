/** Direction overrides and isolates, and characters without width: they make a text read otherwise than it is. */
const invisible = /[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

/**
 * A text that others wrote, safe to print: control characters stand as what they are, such as `␛[31m` for an ANSI
 * colour and `[U+202E]` for a change of direction. Line ends and tabs stay.
 */
export function visible(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f]/g, character => String.fromCodePoint(0x2400 + character.charCodeAt(0)))
    .replaceAll('\u007f', '\u2421')
    .replace(/[\u0080-\u009f]/g, toCodePoint)
    .replace(invisible, toCodePoint);
}

function toCodePoint(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

let characters: Intl.Segmenter | null = null;
/** Code units that are looked at around a cut: few characters are made of more. */
const around = 32;

/** At most so many code units of a text, and no part of a character, which may be several: an emoji, a letter with marks. */
export function beginningOf(text: string, length: number): string {
  if (text.length <= length) return text;
  if (text.charCodeAt(length - 1) < 0x80 && text.charCodeAt(length) < 0x80) return text.slice(0, length);
  const from = Math.max(0, length - around);
  // With it come 2 MB of Unicode's rules, which a server at rest does without.
  characters ??= new Intl.Segmenter();
  const start = characters.segment(text.slice(from, length + around)).containing(length - from)?.index ?? 0;
  if (start > 0 || from === 0) return text.slice(0, from + start);
  // A heap of marks has no end in sight: what it is made of stays whole.
  return text.slice(0, (text.codePointAt(length - 1) ?? 0) > 0xffff ? length - 1 : length);
}

import { escapeMarkup } from '../../base/markup.ts';

/** Text of agents for HTML and XML, without the characters that XML 1.0 has no place for. */
export function toMarkup(text: string): string {
  return escapeMarkup(text).replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}

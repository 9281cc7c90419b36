/**
 * Translates a text of ours. `vscode.l10n` does it in the editor and `@vscode/l10n` in its pages; the server, the
 * command line and reports speak English. Called `l10n` where it is passed, so that the texts can be collected.
 */
export interface Texts {
  t(text: string, ...values: (string | number)[]): string;
}

export const english: Texts = {
  t: (text, ...values) => text.replace(/\{(\d)\}/g, (_, place) => String(values[Number(place)])),
};

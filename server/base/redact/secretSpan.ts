/** Where a secret stands in a text, and what it is. */
export interface SecretSpan {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

/** A command as the manifest declares it. */
export interface CommandContribution {
  readonly title: string;
  readonly icon?: string;
  /** Context-key expression without which the command is greyed out. */
  readonly enablement?: string;
  /** Context-key expression without which the palette does not offer it: where it has nothing to work on. */
  readonly palette?: string;
}

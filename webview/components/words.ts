import { plural } from '../../protocol/figures.ts';

/** `1 trial`, `3 trials`. */
export function count(number: number, noun: string): string {
  return `${number} ${plural(number, noun)}`;
}

/** `12,640`; what is not known is a dash. */
export function grouped(number: number | null): string {
  return number === null ? '–' : number.toLocaleString('en-US');
}

/** `69 %` of a share in [0,1]; what is not known is a dash. */
export function percent(share: number | null): string {
  return share === null ? '–' : `${Math.round(share * 100)} %`;
}

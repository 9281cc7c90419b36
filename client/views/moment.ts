import * as vscode from 'vscode';
import { dayOf } from './sessionPages.ts';

/** When something began, as short as a list needs it: the time, and the day if it is not today. In the editor's language. */
export function toMoment(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  if (dayOf(at) === dayOf(now)) return toTime(iso);
  return `${at.toLocaleString(undefined, { day: 'numeric', month: 'short' })} ${toTime(iso)}`;
}

/** `14:07`, in local time. */
export function toTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
}

/** A local day (`2026-11-21`) as people call it. */
export function toDay(day: string, now: Date = new Date()): string {
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (day === dayOf(now)) return vscode.l10n.t('Today');
  if (day === dayOf(yesterday)) return vscode.l10n.t('Yesterday');
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number);
  const sameYear = year === now.getFullYear();
  return new Date(year, month - 1, date).toLocaleDateString(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  });
}

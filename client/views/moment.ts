/** When something began, as short as a list needs it: the time today, the day before that. In the editor's language. */
export function toMoment(iso: string, now: Date = new Date()): string {
  const at = new Date(iso);
  const today = at.toDateString() === now.toDateString();
  return at.toLocaleString(
    undefined,
    today ? { hour: '2-digit', minute: '2-digit', hour12: false } : { day: 'numeric', month: 'short' },
  );
}

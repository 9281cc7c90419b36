/** Distance in pixels from the end within which a list counts as being read at its end. */
const nearEndPx = 24;

/**
 * Lists marked `follow` stay at their end while they grow, until the person scrolls up.
 * Call before drawing; call what it answers after.
 */
export function followEnds(): () => void {
  const away = new Set(
    [...document.querySelectorAll('.follow')].filter(
      list => list.scrollHeight - list.scrollTop - list.clientHeight > nearEndPx,
    ),
  );
  return () => {
    for (const list of document.querySelectorAll('.follow')) if (!away.has(list)) list.scrollTop = list.scrollHeight;
  };
}

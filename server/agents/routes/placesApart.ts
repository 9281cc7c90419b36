/**
 * Which of several places a launch can record. Places with TLS on the usual port are all of them; of those without TLS, on
 * this machine or on another port it is one, that of what `isChosen`. Null when that is not known.
 */
export function recordablePlaces<T extends { readonly url: string }>(
  places: readonly T[],
  isChosen: (place: T) => boolean,
): readonly T[] | null {
  const apart = places.filter(({ url }) => !/^https:\/\/[^/?#:]+(?::443)?(?:[/?#]|$)/i.test(url));
  if (new Set(apart.map(({ url }) => originOf(url))).size <= 1) return places;
  const chosen = places.find(isChosen);
  if (chosen === undefined) return null;
  return places.filter(place => !apart.includes(place) || originOf(place.url) === originOf(chosen.url));
}

/** Scheme, host and port: what messages may show of a URL. */
export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? url;
}

/** The value of an option such as `-m` in a command line, as the next word or behind `=`. */
export function optionIn(argv: readonly string[], ...names: readonly string[]): string | null {
  const at = argv.findIndex(word => names.includes(word) || names.some(name => word.startsWith(`${name}=`)));
  if (at < 0) return null;
  const word = argv[at] ?? '';
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (argv[at + 1] ?? null);
}

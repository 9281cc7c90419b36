/** A variable's name that is proof enough, as `DB_PASSWORD` and `AZURE_API_KEY_2`, in capitals. */
export const secretVariable =
  /^_?(?:[A-Z0-9]+_)*[A-Z0-9]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|(?<=_)PWD|(?<=_)PAT|(?:API|PRIVATE|ACCESS|SECRET|STORAGE|ACCOUNT|AUTH|MASTER|SIGNING|ENCRYPTION)_?KEY|CREDENTIALS?)(?:_(?!(?:ID|URL|URI|FILE|PATH|NAME|TYPE|LENGTH|SIZE|LIMIT|TTL|COUNT|HOST|HEADER|PREFIX|ENV)$)[A-Z0-9_]{1,20})?$/;
/** Of those, the ones that end with it: what goes on may tell about a secret, as `TOKEN_PROVIDER`. */
const endsSecret = /(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|PWD|PAT|KEY|CREDENTIALS?)$/;
/** Others that may hold a password, and others that may hold a key. */
const mayBePassword = /(?:^|_)(?:PASS|PASSCODE|PW)$|_PWD$/;
const mayBeKey = /(?:^|_)(?:[A-Z]*KEYS?|AUTH|BEARER|JWT|PAT|CREDS?|SECRETS|TOKENS|COOKIE|SALT|SEED|PEPPER|SIGNATURE)$/;

/** Shorter values may be ordinary words, which must stay readable; longer ones are files. */
const minLength = 8;
const maxLength = 16_384;
/** And of a key whose name proves nothing. */
const minKeyLength = 16;

/** So many of one environment are hidden: each text is searched for all of them. */
export const maxSecretVariables = 64;

/**
 * Values of an environment that are secret by the names of their variables, and do not look like anything else.
 * @param keyVariables variables that hold a key although their names do not say so
 */
export function secretsOf(
  env: Readonly<Record<string, string | undefined>>,
  keyVariables: readonly string[] = [],
): string[] {
  const found = new Set<string>();
  for (const [name, value = ''] of Object.entries(env)) {
    if (value.length < minLength || value.length > maxLength) continue;
    const isMeant = keyVariables.includes(name) ? !isPlain(value) : isSecret(name.toUpperCase(), value);
    if (isMeant && !isPlaceholder(value)) found.add(value);
    if (found.size === maxSecretVariables) break;
  }
  return [...found];
}

/** Every variable from which a provider of Codex takes its key, in the text of its configuration. */
export function keyVariablesIn(codexConfig: string): string[] {
  return [...codexConfig.matchAll(/\benv_key["']?\s*=\s*["']([^"'\n]+)["']/g)].flatMap(([, name]) => name ?? []);
}

/** What stands for a key where none is needed, as `sk-no-key-required`. */
export function isPlaceholder(value: string): boolean {
  if (/^(?:sk-)?(.)\1*$/.test(value)) return true;
  return (
    /^[A-Za-z]+(?:[-_ ][A-Za-z]+)*$/.test(value) &&
    /(?:^|[-_ ])(?:no|not|none|dummy|fake|test|your|my|placeholder|example|un(?:used|needed|set)|empty|any|anything|ollama|changeme|x{3,})(?:[-_ ]|$)/i.test(
      value,
    )
  );
}

function isSecret(name: string, value: string): boolean {
  if (secretVariable.test(name)) return endsSecret.test(name) ? !isOtherThing(value) : !isPlain(value);
  if (mayBePassword.test(name)) return !isPlain(value) && !/\s/.test(value);
  return mayBeKey.test(name) && value.length >= minKeyLength && !/\s/.test(value) && !isPlain(value) && isMixed(value);
}

/** A single word, a path, or an address without a secret in it: what no name makes a secret. */
function isOtherThing(value: string): boolean {
  return /^(?:[a-z]{1,12}|[A-Z]{1,12}|[A-Z][a-z]{1,11})$/.test(value) || isPath(value) || isAddress(value);
}

/** Also a number, and words and small numbers in a row, as names of models are. */
function isPlain(value: string): boolean {
  if (isOtherThing(value) || /^[\d.,:+-]+$/.test(value)) return true;
  const parts = value.split(/[-_.:/ ,@]+/).filter(part => part !== '');
  return parts.length > 1
    ? !isMixed(value) &&
        parts.every(part => /^(?:[A-Za-z]+\d{0,3}|\d{1,8}[A-Za-z]{0,2}|[A-Za-z]\d{1,2}[A-Za-z])$/.test(part))
    : /^[A-Za-z]+$/.test(value) && !isMixed(value);
}

function isPath(value: string): boolean {
  if (/^(?:~|\.{1,2})?[\\/][A-Za-z]?[a-z]+\d{0,2}[\\/]|^~\/|^\.{1,2}\/|^[A-Za-z]:[\\/]/.test(value)) return true;
  return /^(?:[\\/]?[\w.-]*|[\w.-]+(?:\/[\w.-]+)*\.[a-z]{2,5})$/.test(value) && /[\\/.]/.test(value) && !isMixed(value);
}

/** Of a host, with or without a port, or of a page. */
function isAddress(value: string): boolean {
  if (isMixed(value)) return false;
  return /^[a-z][\w+.-]*:\/\/[^@?]*$/i.test(value) || /^[a-z\d-]+(?:\.[a-z\d-]+)*(?:\.[a-z]{2,}|:\d{1,5})$/.test(value);
}

/**
 * Letters and digits, small and capital, by turns as nobody writes them: random text changes between them at about every
 * second character, names of models, hosts and files hardly ever.
 */
function isMixed(value: string): boolean {
  const turns = value.match(/[a-z](?=[A-Z\d])|[A-Z](?=\d)|\d(?=[A-Za-z])/g)?.length ?? 0;
  return turns >= 4 && turns / value.length >= 0.15;
}

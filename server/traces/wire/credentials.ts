import { isPlaceholder } from '../../../protocol/secretVariables.ts';
import type { HttpHead } from './httpHead.ts';

const credentialHeader =
  /^(?:(?:proxy-|cf-aig-)?authorization|(?:[\w-]+-)?api-key|(?:[\w-]+-)?auth(?:-token)?|ocp-apim-subscription-key)$/i;
/** The shortest and the longest of these names that are known of model APIs. */
const shortestName = 7;
const longestName = 27;
/** Shorter ones are no keys. */
const minLength = 16;
const maxLength = 4096;

/**
 * The keys and tokens that a request shows, without their scheme. Not those that are signed anew for each request (they
 * have parts), and no JSON Web Tokens, which are known by their shape and change all the time.
 */
export function credentialsOf(head: HttpHead): string[] {
  const found: string[] = [];
  for (const [name, value] of head.headers) {
    if (name.length < shortestName || name.length > longestName || !credentialHeader.test(name)) continue;
    const credential = value.replace(/^[A-Za-z][\w-]{0,19} +/, '');
    if (credential.length >= minLength && credential.length <= maxLength && !/[\s,]|^eyJ/.test(credential)) {
      found.push(credential);
    }
  }
  return found.filter(credential => !isPlaceholder(credential));
}

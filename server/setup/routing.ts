import { listens, localPlace } from '../base/localPlace.ts';
import { modelHosts } from '../proxy/hosts.ts';
import { isOurProxy } from '../proxy/listening/listening.ts';
import { type Finding, finding } from './finding.ts';

export const area = 'configuration';

const baseUrls = [
  'OPENAI_BASE_URL',
  'OPENAI_API_BASE',
  'OPENAI_API_HOST',
  'OPENAI_HOST',
  'ANTHROPIC_BASE_URL',
  'GOOGLE_GEMINI_BASE_URL',
];
const proxies = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'HTTP_PROXY', 'http_proxy', 'OPENAI_PROXY'];

/** Variables that decide where an agent's requests go. */
export const routingVariables: readonly string[] = [...baseUrls, ...proxies];

/** A variable that some place sets. `wins`: it comes after what a launch sets, as an agent's own settings do. */
export interface SetVariable {
  readonly name: string;
  readonly value: string;
  readonly where: string;
  readonly wins: boolean;
}

/** What a routing variable does to recording; null when it does no harm. */
export async function judgeVariable({ name, value, where, wins }: SetVariable): Promise<Finding | null> {
  if (value === '' || value.includes('$')) return null;
  const url = /^[a-z]+:\/\//i.test(value) ? value : `http://${value}`;
  const shown = `${name}=${originOf(url)}`;
  const fix = where === name ? `unset ${name}, and look where it is set` : 'Remove the line.';
  const place = localPlace(url);
  if (place !== null && !(await listens(place.host, place.port))) {
    return finding(area, 'broken', `${shown}, where nothing listens.`, {
      where,
      why: 'Left behind by a proxy that ended. Programs that honour it fail or wait for ever.',
      fix,
    });
  }
  return proxies.includes(name)
    ? judgeProxy(name, shown, place, where, wins, fix)
    : judgeBaseUrl(url, shown, where, wins, fix);
}

async function judgeProxy(
  name: string,
  shown: string,
  place: { host: string; port: number } | null,
  where: string,
  wins: boolean,
  fix: string,
): Promise<Finding | null> {
  if (wins && !/^http_/i.test(name)) {
    // Agents prefer the lower-case one, where both are set; a launch sets both.
    const level = name === name.toLowerCase() ? 'broken' : 'warning';
    return finding(area, level, `${shown} in the agent's own settings.`, {
      where,
      why: 'The agent applies it over what we set: its traffic may go past the recording.',
      fix,
    });
  }
  if (place !== null && where !== name && (await isOurProxy(place.port))) {
    return finding(area, 'warning', `${shown} leads to our proxy for every program.`, {
      where,
      why: 'When the proxy is not running they all fail; a launch sets it for its agent alone.',
      fix,
    });
  }
  return null;
}

function judgeBaseUrl(url: string, shown: string, where: string, wins: boolean, fix: string): Finding | null {
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  if (modelHosts.includes(host)) return null;
  const why = wins
    ? 'The agent applies it over what we set: its requests go to a host that is not recorded.'
    : 'Our launches lead there, recorded; an agent started without us goes there unrecorded.';
  const better =
    wins && url.startsWith('https:') ? `Remove the line, or have the host recorded: COACH_MODEL_HOSTS=${host}` : fix;
  return finding(area, 'warning', `${shown} sends requests elsewhere.`, { where, why, fix: better });
}

/** Without user, password and path: what a person needs to recognise it. */
function originOf(url: string): string {
  if (!URL.canParse(url)) return '(no URL)';
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

import { modelHosts } from '../../protocol/proxy.ts';
import { listens, localPlace } from '../base/localPlace.ts';
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

/** A variable, or a setting of an agent, that some place sets. */
export interface SetVariable {
  readonly name: string;
  readonly value: string;
  readonly where: string;
  /** What it comes after: what a recorded terminal sets, as an agent's own settings do, or whatever a launch gives. */
  readonly over: 'nothing' | 'terminal' | 'launch';
}

/** What a routing variable does to recording; null when it does no harm. */
export async function judgeVariable({ name, value, where, over }: SetVariable): Promise<Finding | null> {
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
    ? judgeProxy(name, shown, place, where, over, fix)
    : judgeBaseUrl(url, shown, where, over, fix);
}

async function judgeProxy(
  name: string,
  shown: string,
  place: { host: string; port: number } | null,
  where: string,
  over: SetVariable['over'],
  fix: string,
): Promise<Finding | null> {
  if (over !== 'nothing' && !/^http_/i.test(name)) {
    // Agents prefer the lower-case one, where both are set; a launch sets both.
    const level = over === 'launch' && name === name.toLowerCase() ? 'broken' : 'warning';
    return finding(area, level, `${shown} in the agent's own settings.`, { where, ...goesPast(over, fix) });
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

function judgeBaseUrl(
  url: string,
  shown: string,
  where: string,
  over: SetVariable['over'],
  fix: string,
): Finding | null {
  const { hostname = '', protocol } = URL.parse(url) ?? {};
  if (modelHosts.includes(hostname)) return null;
  const what = `${shown} sends requests elsewhere.`;
  if (over === 'nothing') {
    const why = 'Our launches lead there, recorded; an agent started without us goes there unrecorded.';
    return finding(area, 'warning', what, { where, why, fix });
  }
  const { why, fix: other } = goesPast(over, fix);
  const recorded = protocol === 'https:' ? `Have the host recorded: COACH_MODEL_HOSTS=${hostname}. Or: ` : '';
  return finding(area, 'warning', what, { where, why, fix: `${recorded}${other}` });
}

/** What it means that an agent applies something over what we set. */
function goesPast(over: 'terminal' | 'launch', fix: string): { why: string; fix: string } {
  const applied = 'The agent applies it over what we set: its requests may go past the recording';
  return over === 'launch'
    ? { why: `${applied}.`, fix }
    : {
        why: `${applied}, unless it is started by codex-coach.`,
        fix: `Start the agent with codex-coach trace, or remove the line.`,
      };
}

/** Without user, password and path: what a person needs to recognise it. */
function originOf(url: string): string {
  if (!URL.canParse(url)) return '(no URL)';
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

import { CoachError } from '../../../protocol/errors.ts';
import { UpstreamOverride } from '../../../protocol/proxy.ts';
import { hostName } from '../hosts.ts';

/**
 * The setting `proxy.upstreams`, `host=origin` separated by commas, as overrides.
 * @throws CoachError `input.invalid` naming the entry
 */
export function toOverrides(setting: string): UpstreamOverride[] {
  const entries = setting.split(',').map(entry => entry.trim());
  return entries.filter(Boolean).map(entry => {
    const at = entry.indexOf('=');
    const host = hostName(entry.slice(0, Math.max(at, 0)));
    const parsed = UpstreamOverride.safeParse({ host, target: entry.slice(at + 1) });
    if (parsed.success && /^https?:\/\/[^/]+\/?$/.test(parsed.data.target)) return parsed.data;
    throw new CoachError('input.invalid', `"${entry}" in COACH_UPSTREAMS is not host=origin.`, {
      hint: 'Write it like api.openai.com=https://gateway.example (no wildcards).',
    });
  });
}

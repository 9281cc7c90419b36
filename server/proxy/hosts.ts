/** Hosts of model APIs: what goes to them is decrypted and recorded. Everything else passes blind. Exact names. */
export const modelHosts: readonly string[] = [
  'api.openai.com',
  'chatgpt.com',
  'api.anthropic.com',
  'generativelanguage.googleapis.com',
  'cloudcode-pa.googleapis.com',
  'openrouter.ai',
  'api.deepseek.com',
  'api.mistral.ai',
  'api.groq.com',
  'api.x.ai',
  'dashscope.aliyuncs.com',
  'api.githubcopilot.com',
];

/** A host name as it is compared: lower case, without the root's trailing dot. */
export function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** `host:port` of a CONNECT request, IPv6 in brackets. Null when it is neither. */
export function parseAuthority(target: string): { host: string; port: number } | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s/:@?#[\]]+)):(\d{1,5})$/.exec(target);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65535) return null;
  return { host: canonicalHost(host), port };
}

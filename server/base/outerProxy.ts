const variables = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

/**
 * Origin of the proxy that an environment names for HTTPS, such as a company's; null without one, and for our own,
 * which recorded terminals have there. User and password are left out.
 */
export function outerProxyOf(env: NodeJS.ProcessEnv): string | null {
  const value = variables.map(name => env[name]).find(Boolean);
  if (value === undefined) return null;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  return url === null || url.username === 'coach' ? null : `${url.protocol}//${url.host}`;
}

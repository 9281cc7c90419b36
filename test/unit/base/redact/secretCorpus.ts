import { createHash } from 'node:crypto';

/** Letters and digits that look random and are always the same. */
function noise(
  name: string,
  length: number,
  alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
): string {
  let text = '';
  for (let round = 0; text.length < length; round++) {
    for (const byte of createHash('sha256').update(`${name}${round}`).digest())
      text += alphabet[byte % alphabet.length];
  }
  return `${text.slice(0, length - 2)}a7`;
}

const hex = '0123456789abcdef';
const capitals = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const pem = (label: string) =>
  `-----BEGIN ${label}-----\n${noise(label, 64)}\n${noise(`${label}2`, 64)}\n${noise(`${label}3`, 20)}==\n-----END ${label}-----`;
const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Made-up secrets: a text as it may be met, and the part of it that must be gone. Put together from pieces, so that
 * this file has none in it.
 */
export const secretCorpus: readonly (readonly [name: string, secret: string, text?: (secret: string) => string])[] = [
  ['openai', `sk-${noise('openai', 48)}`],
  ['openai project', `sk-proj-${noise('project', 60)}`],
  ['anthropic api', `sk-ant-api03-${noise('ant', 40)}`],
  ['anthropic login', `sk-ant-oat01-${noise('oat', 40)}`],
  ['anthropic session', `sk-ant-sid01-${noise('sid', 40)}`],
  ['openrouter', `sk-or-v1-${noise('or', 64, hex)}`],
  ['google', `AIza${noise('google', 35)}`],
  ['google oauth', `ya29.${noise('ya', 60)}`],
  ['xai', `xai-${noise('xai', 60)}`],
  ['groq', `gsk_${noise('groq', 50)}`],
  ['hugging face', `hf_${noise('hf', 34)}`],
  ['aws id', `AKIA${noise('aws', 16, capitals).toUpperCase()}`],
  ['aws secret', noise('awss', 40), secret => `aws_secret_access_key = ${secret}`],
  ['aws secret in a list', noise('awsc', 40), secret => `AKIA${noise('a', 16, capitals).toUpperCase()},${secret}`],
  ['github', `ghp_${noise('gh', 36)}`],
  ['github fine', `github_pat_${noise('ghf', 60)}`],
  ['gitlab', `glpat-${noise('gl', 20)}`],
  ['gitlab feed', `glft-${noise('glft', 20)}`],
  ['gitlab agent', `glagent-${noise('glagent', 50)}`],
  ['clojars', `CLOJARS_${noise('clojars', 60)}`],
  ['npm', `npm_${noise('npm', 36)}`],
  ['npmrc', noise('npmrc', 36), secret => `//registry.example/:_authToken=${secret}`],
  ['pypi', `pypi-AgE${noise('pypi', 80)}`],
  ['slack', `xoxb-${noise('slack', 12, '0123456789')}-${noise('slack2', 24)}`],
  [
    'slack webhook',
    `hooks.slack.com/services/T${noise('t', 8, capitals)}/B${noise('b', 8, capitals)}/${noise('w', 24)}`,
  ],
  ['stripe', `sk_live_${noise('stripe', 24)}`],
  ['stripe webhook', `whsec_${noise('whsec', 32)}`],
  ['sendgrid', `SG.${noise('sg', 22)}.${noise('sg2', 43)}`],
  ['telegram', `1234567890:AAE${noise('tg', 32)}`, secret => secret],
  ['telegram, another', `${noise('tgs', 35)}`, secret => `bot 12345678:${secret} says`],
  ['discord bot', `${Buffer.from('198622483471925248').toString('base64')}.${noise('dc', 6)}.${noise('dc2', 38)}`],
  ['brevo', `xkeysib-${noise('brevo', 64, hex)}-${noise('brevo2', 16)}`],
  ['new relic', `NRAK-${noise('nr', 27, capitals).toUpperCase()}`],
  ['dynatrace', `dt0c01.${noise('dt', 24, capitals).toUpperCase()}.${noise('dt2', 64, capitals).toUpperCase()}`],
  ['airtable', `pat${noise('at', 14)}.${noise('at2', 64, hex)}`],
  ['elevenlabs', `sk_${noise('el', 48, hex)}`],
  ['heroku', `HRKU-AA${noise('heroku', 58)}`],
  ['terraform cloud', `${noise('tfid', 14)}.atlasv1.${noise('tf', 67)}`],
  ['one password', `ops_${segment({ signInAddress: 'my.1password.com', secret: noise('ops', 80) })}`],
  ['alibaba id', `LTAI5t${noise('ali', 18)}`],
  ['entra client', `${noise('entra', 3)}8Q~${noise('entra2', 20)}~.-${noise('entra3', 11)}`],
  ['jfrog', `AKCp${noise('jfrog', 69)}`],
  ['jwt', `${segment({ alg: 'HS256', typ: 'JWT' })}.${segment({ sub: '1234567890' })}.${noise('jwt', 43)}`],
  ['private key', pem('RSA PRIVATE KEY')],
  ['openssh key', pem('OPENSSH PRIVATE KEY')],
  ['gcp account', pem('PRIVATE KEY'), secret => JSON.stringify({ type: 'service_account', private_key: secret })],
  [
    'azure storage',
    `${noise('azure', 86)}==`,
    secret => `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${secret};`,
  ],
  ['azure sas', noise('sas', 44), secret => `https://a.blob.core.windows.net/c?sv=2024&sig=${secret}&se=2026`],
  ['database url', noise('db', 12), secret => `postgres://ada:${secret}@db.example/app`],
  ['basic', Buffer.from(`ada:${noise('basic', 12)}`).toString('base64'), secret => `Authorization: Basic ${secret}`],
  ['bearer', noise('bearer', 40), secret => `curl -H "Authorization: Bearer ${secret}" https://x.example`],
  ['session cookie', noise('cookie', 40), secret => `Cookie: theme=dark; session=${secret}`],
  ['password in an environment', noise('pw', 14), secret => `export DB_PASSWORD=${secret}`],
  ['dotted password', 'hunter.secretV99aa', secret => `DB_PASSWORD=${secret}`],
  ['dotted key', 'abcd.efgh1234XYZ99', secret => `API_KEY=${secret}`],
  ['dotted token', `${noise('d1', 7)}.GaBcDe.${noise('d2', 12)}`, secret => `DISCORD_TOKEN=${secret}`],
  ['quoted dotted secret', 'abc.def.ghi12345678', secret => `export FOO_SECRET="${secret}"`],
  ['password of digits', '12345678901', secret => `DB_PASSWORD=${secret}`],
  ['mysql', 's3cretpw77zz', secret => `MYSQL_PWD=${secret}`],
  ['password with signs', 'p4$$w0rd!longer', secret => `PASSWORD=${secret}`],
  ['azure key', 'abcDEF123456789/+xyz==', secret => `AZURE_STORAGE_KEY=${secret}`],
  ['access token', 'abcdefghijkl123456', secret => `GH_PAT=${secret}`],
  ['key in yaml', 'deadbeefdeadbeef', secret => `api_key: ${secret}`],
  ['password in yaml', 'hunter2secret99x', secret => `password: ${secret}`],
  ['token header', 'abcdef0123456789abcdef', secret => `Authorization: Token ${secret}`],
  ['auth key header', noise('xauth', 37, hex), secret => `X-Auth-Key: ${secret}`],
  ['words as password', 'correct horse battery staple', secret => JSON.stringify({ password: secret })],
  ['key header', noise('xapi', 30), secret => `x-api-key: ${secret}`],
  ['key in json', noise('json', 30), secret => JSON.stringify({ api_key: secret })],
  ['words as key in json', 'correct horse battery', secret => JSON.stringify({ api_key: secret })],
  ['argument', noise('arg', 20), secret => `deploy --api-key ${secret} --region eu`],
  ['variable in a list', 'p4ssW0rdLong', secret => JSON.stringify([{ name: 'DB_PASSWORD', value: secret }])],
  ['variable in yaml', 'p4ssW0rdLong', secret => `env:\n  - name: DB_PASSWORD\n    value: ${secret}\n`],
  ['header in a list', noise('har', 30), secret => JSON.stringify({ name: 'X-Api-Key', value: secret })],
  ['netrc', noise('netrc', 20), secret => `machine h login ada password ${secret}`],
];

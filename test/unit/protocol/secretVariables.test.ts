import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyVariablesIn, maxSecretVariables, secretsOf } from '../../../protocol/secretVariables.ts';

const hex = () => randomBytes(18).toString('hex');

describe('the secret values of an environment', () => {
  it.each([
    'GW_KEY',
    'OPENAI_API_KEY',
    'AZURE_OPENAI_KEY',
    'MISTRAL_API_KEY',
    'DB_PASSWORD',
    'DB_PASS',
    'MY_TOKEN',
    'CLIENT_SECRET',
    'AWS_SECRET_ACCESS_KEY',
    'LITELLM_MASTER_KEY',
    'PGPASSWORD',
    'MYSQL_PWD',
    'GITHUB_PAT',
    'NPM_AUTH',
    'azure_openai_key',
    'APIKEY',
    'TOKEN_PROD',
  ])('are those of %s', name => {
    for (const value of [hex(), randomUUID(), randomBytes(24).toString('base64url')]) {
      expect(secretsOf({ [name]: value })).toEqual([value]);
    }
  });

  it.each([
    ['DB_PASSWORD', 'eight888'],
    ['DB_PASSWORD_PROD', 'winterfell9'],
    ['SMTP_PASS', 'hunter2hunter'],
    ['OPENAI_API_KEY', 'from-the-shell'],
    ['AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'],
    ['AWS_SECRET_ACCESS_KEY', '/K7MDENGwJalrXUtnFEMI/bPxRfiCYEXAMPLEKEY'],
  ])('are chosen ones, too: %s=%s', (name, value) => expect(secretsOf({ [name]: value })).toEqual([value]));

  const others = [
    ...['true', 'development', 'production', 'required', 'osxkeychain', '/home/me/.ssh/id_ed25519', '~/keys/key.pem'],
    ...[
      './certs/dev.pem',
      'certs/server.key',
      'C:\\keys\\server.key',
      '/nix/store/8qzm3d5b9k2hj7x1c4v6n0p8s2r4t6w8-x/key',
    ],
    ...['localhost:8080', 'api.openai.com', 'db.internal.example.com:5432', 'https://vault.example.com/v1/secret'],
  ];
  it.each(['CACHE_KEY', 'DB_PASS', 'MY_TOKEN', 'GOOGLE_APPLICATION_CREDENTIALS', 'INIT_PWD'])(
    'are not words, paths and addresses in %s',
    name => {
      for (const value of others) expect(secretsOf({ [name]: value })).toEqual([]);
    },
  );

  const models = ['gpt-5.1-codex-max', 'claude-sonnet-4-5-20250929', 'meta-llama/Llama-3.3-70B-Instruct'];
  const names = ['qwen2.5-coder:32b', 'gpt-4o-mini', 'us.anthropic.claude-sonnet-4-20250514-v1:0', '1234567890123456'];
  const plain = ['2026-11-22', 'x86_64-unknown-linux-gnu', 'primary-user-session-key', 'linux-node-22-modules'];
  it.each(['MODEL_KEY', 'DEFAULT_AUTH', 'TOKEN_MODEL', 'FEATURE_PASS'])('are no names and numbers in %s', name => {
    for (const value of [...models, ...names, ...plain]) expect(secretsOf({ [name]: value })).toEqual([]);
  });

  it('are no stand-ins for a key that nobody needs', () => {
    for (const value of [
      'sk-no-key-required',
      'replay-needs-no-key',
      'your-api-key-here',
      'not-needed',
      'xxxxxxxxxx',
    ]) {
      expect(secretsOf({ OPENAI_API_KEY: value, GATEWAY: value }, ['GATEWAY'])).toEqual([]);
    }
  });

  it('are of a variable that is known to hold a key, whatever it is called', () => {
    const value = hex();
    expect(secretsOf({ GATEWAY: value, PATH: `/opt/${value}` }, ['GATEWAY'])).toEqual([value]);
    expect(keyVariablesIn('[model_providers.a]\nenv_key = "GATEWAY"\nb = {env_key=\'OTHER\'}')).toEqual([
      'GATEWAY',
      'OTHER',
    ]);
  });

  it('are each told once, and not more than can be searched for', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`KEY_${index}_TOKEN`, hex()]));
    expect(secretsOf(many)).toHaveLength(maxSecretVariables);
    expect(secretsOf({ A_TOKEN: 'one-value', B_TOKEN: 'one-value', C_TOKEN: 'x'.repeat(20_000) })).toEqual([
      'one-value',
    ]);
  });

  it('are found in keys of every usual kind', () => {
    const count = 2000;
    const keys = Array.from({ length: count }, (_, index) => randomBytes(20 + (index % 20)));
    const missed = keys.filter(bytes =>
      (['hex', 'base64url'] as const).some(encoding => secretsOf({ GW_KEY: bytes.toString(encoding) }).length === 0),
    ).length;
    expect(missed / count).toBeLessThan(0.01);
  });
});

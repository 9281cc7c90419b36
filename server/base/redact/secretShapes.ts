/** A secret known by how it begins: `sk-ant-` and what follows. */
export interface SecretShape {
  /** What `findSecrets` calls it. */
  readonly kind: string;
  /** Any of these begins one. Searched for all at once, so every shape must have at least three fixed characters. */
  readonly prefixes: readonly string[];
  /** What must follow: no nested quantifiers, and a bound wherever it may fail late. */
  readonly tail: string;
  /** What stands before the prefix and is a part of it; the prefix is found nowhere else then. */
  readonly before?: string;
  /** Also in the middle of a word: the prefix is found nowhere else. */
  readonly anywhere?: boolean;
  /** Told from ordinary words, which have no digit. */
  readonly needsDigit?: boolean;
}

const token = '[A-Za-z0-9_-]';
const alphanumeric = '[A-Za-z0-9]';

/**
 * Shapes of keys, each written from its issuer's own description. Named as the public scanners' rules are, so that
 * what is missing can be seen by comparing lists.
 */
export const secretShapes: readonly SecretShape[] = [
  // Model providers.
  { kind: 'key', prefixes: ['sk-ant-'], tail: `${token}{12,}`, anywhere: true },
  {
    kind: 'key',
    prefixes: ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-or-v1-'],
    tail: `${token}{16,}`,
    anywhere: true,
  },
  { kind: 'key', prefixes: ['sk-'], tail: `${token}{16,}`, needsDigit: true },
  { kind: 'key', prefixes: ['sess-'], tail: `${alphanumeric}{32,}`, needsDigit: true },
  { kind: 'key', prefixes: ['hf_', 'gsk_', 'r8_', 'pplx-', 'tgp_v1_', 'fw_', 'jina_'], tail: `${alphanumeric}{20,}` },
  { kind: 'key', prefixes: ['xai-', 'nvapi-', 'csk-', 'tvly-', 'pcsk_', 'lsv2_', 'sk-lf-'], tail: `${token}{20,}` },
  { kind: 'key', prefixes: ['AIza'], tail: `${token}{30,}` },
  { kind: 'key', prefixes: ['sk_'], tail: '[a-f0-9]{48}(?![A-Za-z0-9])' },
  // Clouds.
  { kind: 'key', prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'], tail: '[A-Z0-9]{16}(?![A-Za-z0-9])' },
  { kind: 'key', prefixes: ['LTAI'], tail: '[A-Za-z0-9]{20}(?![A-Za-z0-9])', needsDigit: true },
  { kind: 'key', prefixes: ['ya29.'], tail: '[A-Za-z0-9._-]{20,}' },
  { kind: 'key', prefixes: ['GOCSPX-', '1//0'], tail: `${token}{24,}` },
  { kind: 'key', prefixes: ['dop_v1_', 'doo_v1_', 'dor_v1_'], tail: '[a-f0-9]{40,}' },
  { kind: 'key', prefixes: ['dapi'], tail: '[a-f0-9]{32}' },
  { kind: 'key', prefixes: ['hvs.', 'hvb.', 'hvr.'], tail: `${token}{20,}` },
  { kind: 'key', prefixes: ['pscale_tkn_', 'pscale_pw_', 'sbp_', 'sb_secret_', 'rpa_'], tail: `${token}{20,}` },
  { kind: 'key', prefixes: ['dp.pt.', 'dp.st.', 'dp.sa.'], tail: '[A-Za-z0-9.]{20,}' },
  { kind: 'key', prefixes: ['HRKU-'], tail: `${token}{36,}` },
  { kind: 'key', prefixes: ['.atlasv1.'], before: '[A-Za-z0-9]{14}', tail: '[A-Za-z0-9_=-]{60,70}' },
  { kind: 'key', prefixes: ['ops_eyJ'], tail: '[A-Za-z0-9+/_-]{60,}={0,2}' },
  { kind: 'key', prefixes: ['AGE-SECRET-KEY-1'], tail: '[A-Z0-9]{50,}' },
  // Code hosts, registries, build services.
  { kind: 'key', prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], tail: `${alphanumeric}{20,}` },
  { kind: 'key', prefixes: ['github_pat_'], tail: '[A-Za-z0-9_]{20,}', anywhere: true },
  { kind: 'key', prefixes: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'gloas-'], tail: `${token}{16,}` },
  { kind: 'key', prefixes: ['glft-', 'glagent-', 'glimt-', 'glsoat-', 'glffct-'], tail: `${token}{16,}` },
  { kind: 'key', prefixes: ['npm_'], tail: `${alphanumeric}{30,}` },
  { kind: 'key', prefixes: ['pypi-AgE'], tail: `${token}{40,}` },
  { kind: 'key', prefixes: ['AKCp', 'cmVmdGtu'], tail: `${alphanumeric}{30,}` },
  { kind: 'key', prefixes: ['rubygems_'], tail: '[a-f0-9]{40,}' },
  { kind: 'key', prefixes: ['CLOJARS_'], tail: '[A-Za-z0-9]{50,}' },
  { kind: 'key', prefixes: ['dckr_pat_', 'dckr_oat_'], tail: `${token}{20,}` },
  { kind: 'key', prefixes: ['ATATT3', 'ATCTT3', 'ATBB'], tail: '[A-Za-z0-9_=-]{28,}' },
  { kind: 'key', prefixes: ['lin_api_', 'nfp_', 'figd_', 'CFPAT-', 'PMAK-', 'ntn_'], tail: `${token}{20,}` },
  { kind: 'key', prefixes: ['pat'], tail: '[A-Za-z0-9]{14}\\.[a-f0-9]{64}' },
  // Payment, mail, messages, monitoring.
  { kind: 'key', prefixes: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], tail: `${alphanumeric}{16,}` },
  { kind: 'key', prefixes: ['whsec_'], tail: '[A-Za-z0-9+/=]{24,}' },
  { kind: 'key', prefixes: ['sq0atp-', 'sq0csp-', 'EAAAE'], tail: `${token}{22,}` },
  { kind: 'key', prefixes: ['shpat_', 'shpca_', 'shppa_', 'shpss_'], tail: '[a-fA-F0-9]{32}' },
  { kind: 'key', prefixes: ['SG.'], tail: `${token}{16,64}\\.${token}{16,}` },
  { kind: 'key', prefixes: ['xkeysib-', 'xsmtpsib-'], tail: '[a-f0-9]{40,}(?:-[A-Za-z0-9]{1,24})?' },
  { kind: 'key', prefixes: ['key-'], tail: '[a-f0-9]{32}(?![A-Za-z0-9])' },
  {
    kind: 'key',
    prefixes: ['xoxa-', 'xoxb-', 'xoxc-', 'xoxd-', 'xoxe-', 'xoxe.', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-'],
    tail: '[A-Za-z0-9.%-]{10,}',
  },
  { kind: 'key', prefixes: ['xapp-'], tail: '[A-Za-z0-9-]{20,}' },
  {
    kind: 'key',
    prefixes: ['hooks.slack.com/services/', 'hooks.slack.com/workflows/', 'hooks.slack.com/triggers/'],
    tail: '[A-Za-z0-9+/]{20,}',
    anywhere: true,
  },
  {
    kind: 'key',
    prefixes: ['discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    tail: '[0-9]{8,30}/[A-Za-z0-9_-]{30,}',
    anywhere: true,
  },
  { kind: 'key', prefixes: ['webhook.office.com/webhookb2/'], tail: '[A-Za-z0-9@/-]{30,}', anywhere: true },
  { kind: 'key', prefixes: ['NRAK-'], tail: '[A-Z0-9]{27}' },
  { kind: 'key', prefixes: ['dt0c01.'], tail: '[A-Z0-9]{24}\\.[A-Z0-9]{64}' },
  { kind: 'key', prefixes: ['glsa_', 'glc_', 'sntrys_', 'sntryu_', 'phx_'], tail: '[A-Za-z0-9_=+/-]{28,}' },
];

/** A JSON web token: three parts, the first a JSON object in base64url. */
export const webToken = 'eyJ';

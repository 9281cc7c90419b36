import { randomBytes } from 'node:crypto';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../../../server/base/log.ts';
import { findSecrets, redact } from '../../../../server/base/redact/redact.ts';
import { secretCorpus } from './secretCorpus.ts';

const cases = secretCorpus.map(([name, secret, text = (value: string) => `it is ${value} now`]) => ({
  name,
  secret,
  text,
}));
/** What of a secret must not be left: a PEM block's lines, and a key without its sign. */
const pieces = (secret: string) => secret.split('\n').filter(line => line.length >= 12);

describe.each(cases)('a secret ($name)', ({ secret, text }) => {
  const plain = text(secret);
  const json = JSON.stringify({ output: plain });
  const forms: Record<string, string> = {
    'in a line': plain,
    'in code': `const x = '${plain}';`,
    'behind an escaped line end': `first\\n${plain}`,
    'in JSON': json,
    'in JSON in JSON': JSON.stringify({ arguments: json }),
    'in base64': `data ${Buffer.from(`some text before\n${plain}\n`).toString('base64')} end`,
    'in base64 of gzip': `data ${gzipSync(`${'before '.repeat(20)}${plain}`).toString('base64')} end`,
  };

  it.each(Object.entries(forms))('is taken out %s', (_form, form) => {
    const result = redact(form);
    for (const piece of pieces(secret)) expect(result).not.toContain(piece);
    expect(result).toContain('[redacted]');
    for (const encoded of form.match(/[A-Za-z0-9+/]{60,}/g) ?? []) {
      expect(Buffer.from(result, 'base64').toString('latin1')).not.toContain(pieces(secret)[0]);
      expect(form.startsWith('data ') && result.includes(encoded)).toBe(false);
    }
  });

  it('is taken out once only', () => {
    const once = redact(plain);
    expect(redact(once)).toBe(once);
  });
});

const shaped = cases.filter(({ secret, text }) => text(secret).startsWith('it is') && !secret.includes('\n'));

it.each(shaped)('takes $name out when it is percent-encoded or escaped', ({ secret }) => {
  const percent = [...secret].map(sign => `%${sign.charCodeAt(0).toString(16)}`).join('');
  const escaped = `\\u00${secret.charCodeAt(0).toString(16)}${secret.slice(1)}`;
  for (const form of [`https://x.example/?q=${percent}&a=1`, `{"a":"${escaped}"}`, `\\"${escaped}\\"`]) {
    const result = redact(form);
    expect(result).toContain('[redacted]');
    expect(result).not.toContain(secret.slice(-8));
    expect(result).not.toContain(percent.slice(-24));
  }
});

it('takes known values out, however they are written', () => {
  const known = 'no shape at "all"';
  const forms = [
    known,
    JSON.stringify(JSON.stringify(known).slice(1, -1)).slice(1, -1),
    Buffer.from(`the value: ${known}`).toString('base64'),
    Buffer.from(`the value: ${known}`, 'utf16le').toString('base64'),
    Buffer.from(known, 'utf16le').toString('latin1').slice(0, -1),
    Buffer.from(known).toString('hex'),
    Buffer.from(known).toString('hex').toUpperCase(),
    encodeURIComponent(known),
  ];
  for (const form of forms) {
    expect(redact(`a ${form} z`, [known])).toMatch(/^a \[redacted\] z$/);
  }
});

it.each(['s3cret', 'hunter2pw', 's3cret!Gateway', 'sixteen-chars-ab', 'pässwörtchen-für-alle', '~~~???>>>~~~'])(
  'takes a known value (%s) out of short base64, whatever stands before and after it',
  known => {
    for (const encoding of ['base64', 'base64url'] as const) {
      expect(redact(`a ${Buffer.from(known).toString(encoding)}\\n`, [known])).toBe('a [redacted]\\n');
      for (const before of ['u', 'u:', 'me:']) {
        for (const after of ['', '\n', ' z', '...']) {
          const encoded = Buffer.from(`${before}${known}${after}`).toString(encoding);
          expect(redact(`a ${encoded} z`, [known])).toMatch(/^a \S{0,4}\[redacted\]\S{0,6} z$/);
        }
      }
    }
  },
);

it('takes compressed text out when it is cut off, or too long to be looked through', () => {
  const line = `DB_PASSWORD=${'hunter.secretV99aa'}\n`;
  const long = Buffer.from(`${'x'.repeat(2 * 1024 * 1024)}\n${line}`);
  const cut = gzipSync(`${line}${randomBytes(300).toString('hex')}`)
    .toString('base64')
    .slice(0, 200);
  for (const form of [gzipSync(long), deflateSync(long), zstdCompressSync(long)].map(bytes =>
    bytes.toString('base64'),
  )) {
    expect(redact(`data ${form} end`)).toBe('data [redacted] end');
  }
  expect(redact(`data ${cut} end`)).toBe('data [redacted] end');
  const harmless = gzipSync('ordinary words '.repeat(100)).toString('base64');
  expect(redact(`data ${harmless} end`)).toBe(`data ${harmless} end`);
});

describe('a secret behind its name', () => {
  it.each([
    ['{"aws_secret_access_key": "', 'wJalrXUtnFEMI\\/K7MDENG\\/bPxRfiCYEXAMPLEKEY', '"}'],
    ['{"client_secret": "', 'ab\\/cdE5fghIJklmno9pqRSTuv+xyz', '", "b": "\\/"}'],
    ['{"client_secret": "', 'abcdefg\\u0026cdE5fghIJklmno', '"}'],
    ['{"client_secret": "', 'ab\\"cdE5fghIJklmno9pqRSTuv', '"}'],
    ['{"client_secret": "', 'abcdE5fghIJklmno9pqRSTuv\\\\', '", "b": "c"}'],
    ['export DB_PASSWORD=', 'hunter\\!2secretXYZ9', ' && run'],
    ['export DB_PASSWORD="', 'hunter\\$2secretXYZ9', '"\nrun'],
    ['password: ', 'hunter2\\/Secret99x', ', then'],
  ])('is taken out whole when it has a backslash: %s%s%s', (before, secret, after) => {
    const text = `${before}${secret}${after}`;
    const cleaned = `${before}[redacted]${after}`;
    expect(redact(text)).toBe(cleaned);
    expect(redact(JSON.stringify({ text }))).toBe(JSON.stringify({ text: cleaned }));
    const json = JSON.stringify({ text: JSON.stringify({ text }) });
    expect(redact(json)).toBe(JSON.stringify({ text: JSON.stringify({ text: cleaned }) }));
  });

  it('is taken out whole with its escaped letters', () => {
    expect(redact(String.raw`{"Env": ["A=b", "DB_PASSWORD=hunter\u00262secret"]}`)).toBe(
      '{"Env": ["A=b", "[redacted]"]}',
    );
    expect(redact(String.raw`DB_PASSWORD=p\u00e4ssw\u00f6rtchen22 next`)).toBe('[redacted] next');
  });

  it('hides no name of the secret that follows it', () => {
    expect(redact(String.raw`client_secret=aB3gtq3sr1dcxs\/api_key="aB3qvym6c98xsK9"`)).toBe(
      'client_secret=[redacted]"[redacted]"',
    );
  });

  it('ends with its line and with the string that it stands in', () => {
    expect(redact(String.raw`{"cmd":"export DB_PASSWORD=\"hunter22x\"\nnpm start"}`)).toBe(
      String.raw`{"cmd":"export DB_PASSWORD=\"[redacted]\"\nnpm start"}`,
    );
    expect(redact(String.raw`{"cmd":"DB_PASSWORD=hunter22x\nDEBUG=1\n"}`)).toBe(
      String.raw`{"cmd":"DB_PASSWORD=[redacted]\nDEBUG=1\n"}`,
    );
  });
});

describe('text inside text', () => {
  const env = `${'NODE_ENV=production\nPORT=3000\n'.repeat(20)}ANTHROPIC_API_KEY=sk-ant-${'a1B2c3D4'.repeat(4)}\n`;
  const plain = Buffer.from(env).toString('base64');
  const wrapped = plain.replaceAll(/.{76}/g, '$&\n');
  const packed = gzipSync(`${env}${randomBytes(60).toString('hex')}`).toString('base64');

  it.each(['total 4\n', '\t', 'a\r\n', '\u001b[0m', 'x/', '_', 'abc.'])('is found behind %j', before => {
    for (const text of [plain, packed, wrapped].map(encoded => `${before}${encoded}\nend`)) {
      const json = JSON.stringify({ output: text });
      for (const form of [text, json, JSON.stringify({ arguments: json })]) {
        const result = redact(form);
        expect(result).toContain('[redacted]');
        for (const line of text.split('\n').filter(each => each.length > 60)) {
          expect(result).not.toContain(line.slice(-40));
        }
      }
    }
  });

  it('leaves the JSON whole that it stands in', () => {
    expect(redact(`{"output":"total 4\\n${plain}\\n"}`)).toBe('{"output":"total 4\\n[redacted]\\n"}');
  });

  it('is found wherever it stands in a long escaped one', () => {
    const key = `sk-ant-api03-${'a1B2c3D4'.repeat(4)}`;
    const percent = (text: string) => [...text].map(sign => `%${sign.charCodeAt(0).toString(16)}`).join('');
    const unicode = (text: string) => [...text].map(sign => `\\u00${sign.charCodeAt(0).toString(16)}`).join('');
    for (let before = 600; before < 1500; before += 7) {
      for (const write of [percent, unicode]) {
        const form = `"${write('a'.repeat(before))}${write(key)}${write('b'.repeat(300))}"`;
        expect(redact(form)).not.toContain(write(key.slice(-8)));
      }
    }
  });
});

/** A small text that unpacks to a large one, of which every word does so again. */
it.each(['ab cd', 'password='])('does not unpack for ever what is packed again and again: %s…', unit => {
  const fill = (word: string) => `${word} `.repeat(1_000_000 / (word.length + 1));
  const pack = (text: string) => gzipSync(text, { level: 9 }).toString('base64');
  const twice = pack(fill(pack(fill(unit))));
  const thrice = pack(fill(twice));
  const startedAt = performance.now();
  expect(redact(`data ${twice} end`)).toBe('data [redacted] end');
  expect(redact(`data ${thrice} end`)).toBe('data [redacted] end');
  expect(performance.now() - startedAt).toBeLessThan(8000);
});

it.each([
  'const token = next(); // sk-8 skips; risk-free; http://127.0.0.1:18080/v1 tokens: 12',
  '{"key":"Enter","keyCode":13,"token":"Hello","logprob":-0.1}',
  '"integrity": "sha512-9wlZuZd6Q5sPmGzO1cT5Yt0h0wXoQ0mJHk8G5p2VxQ0rLw3Xy7Uu1n8Jf2k9B4Dd6Ss8Ee1Rr5Tt7Yy9Uu0Ii==",',
  'commit 8a5529ee0f1d2c3b4a5968778695a4b3c2d1e0f9 id 0b24f6a0-0000-4000-8000-000000000001',
  '<img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==">',
  'interface Login { password: string; token?: string; apiKey: string | undefined; secret: Uint8Array }',
  'API_KEY=$OPENAI_API_KEY npm start; export TOKEN="$TOKEN"; password = os.environ["PASSWORD"]',
  'const DEFAULT_TOKEN_CACHE_NAME = "msal.cache"; const PASSWORD_TOO_WEAK = "password_too_weak";',
  'Use Basic authentication or Bearer authentication. The secret: practice.',
  '.sk-spinner-loading-container { } .sk-cube-grid-animation-delay { }',
  'server/traces/dialects/responses.ts:120:  readonly passwordFieldPlaceholderText = `x`',
  'max_tokens=100000 TOKENS_PER_MINUTE=2000000 docker run -u 1000:1000 --token-limit 100000',
  '"eslint-plugin-no-secrets": "^10.2.2", "@x/rule-privatekey": "13.0.4"',
  `API_KEY=process.env.OPENAI_API_KEY DB_PASSWORD=\${PASSWORD:-none} TOKEN=$(pass show token) GH_PAT=$GITHUB_TOKEN`,
  'SECRET_KEY=os.environ["SECRET_KEY"], TOKEN=self.token, API_KEY=get_key(name), PASSWORD=<your password>',
  'PASSWORD_RESET_TIMEOUT=259200 TOKEN_EXPIRY_SECONDS=1209600 MAX_TOKEN=1000000 OLDPWD=/home/ada/work2 PWD=/srv/app99x',
  '{"password": "Enter your password", "secret": "words that are not from this user"} "storageKey": "app.theme.v2"',
  '{"name":"color","value":"p4ssW0rdLongEnough77"} {"key":"Enter","value":"a1b2c3d4e5f6"} name: Ada\nvalue: 12345678',
  'path/to/patterns.of/task_pattern_of_some_length sk_buff_head',
  'password: sha256Password, apiKey: config.apiKey2, token: nextToken123, timestamp 1700000000:some-ordinary-identifier-of-thirty',
])('leaves ordinary text and code alone: %s', text => {
  expect(redact(text)).toBe(text);
  expect(findSecrets(text)).toEqual([]);
});

it('gives the same string back where nothing is secret', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), text => {
      const result = redact(text);
      expect(result === text || result.includes('[redacted]')).toBe(true);
    }),
  );
});

it('finds a key in the middle of any text', () => {
  const key = secretCorpus[2]?.[1] ?? '';
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (before, after) => {
      expect(redact(`${before} ${key} ${after}`)).not.toContain(key);
    }),
  );
});

it('says in which line a secret is, and nothing else of it', () => {
  const [key, pem] = ['github', 'private key'].map(name => secretCorpus.find(([other]) => other === name)?.[1] ?? '');
  expect(findSecrets(`a\nb ${key}\n${pem}\nhttp://ada:hunter22@host`)).toEqual([
    { line: 2, kind: 'key' },
    { line: 3, kind: 'private key' },
    { line: 8, kind: 'password in URL' },
  ]);
});

/** Each repeats what one of the patterns begins with: twice the text must not take four times as long. */
it.each([
  'sk-',
  'eyJ',
  'eyJaaaaaaaa.',
  '-----BEGIN RSA PRIVATE KEY-----',
  '://a:',
  'password=',
  'DB_PASSWORD=',
  'TOKEN_A=<b,',
  'authorization: abc ',
  '?key=',
  '"api_key":"',
  '\\u0041',
  '%41',
  'QUJD\\n',
  'login a ',
  'password=a\\-',
  'DB_PASSWORD=a\\!',
  '"api_key":"a\\"',
  "api_key='\\'api_key=\\'",
  '"name":"DB_PASSWORD","value":',
  'name:value:',
  'MTk4',
  'abc8Q~',
  '.atlasv1.',
])('does not take for ever over hostile text: %s…', unit => {
  expect(redact(unit.repeat(1_000_000 / unit.length)).length).toBeGreaterThan(0);
});

it('writes log lines as JSON without the secret', () => {
  const body = secretCorpus[0]?.[1] ?? '';
  const lines: string[] = [];
  const log = createLog(line => void lines.push(line), { debug: true }).child({ run: 'r1' });
  log.warn('sent', { header: `Bearer ${body}`, error: new Error(`bad key ${body}`) });
  expect(lines.join('')).not.toContain(body);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', message: 'sent', run: 'r1' });
});

import { expect, it } from 'vitest';
import { credentialsOf } from '../../../../server/traces/wire/credentials.ts';
import { parseHead } from '../../../../server/traces/wire/httpHead.ts';

const key = '942ecf7912344abc8def0123456789ab';
const of = (header: string) => credentialsOf(parseHead(`POST /v1/x HTTP/1.1\r\nHost: x\r\n${header}`, 'request'));

it.each([
  `Authorization: Bearer ${key}`,
  `authorization: ${key}`,
  `Proxy-Authorization: Basic ${key}`,
  `x-api-key: ${key}`,
  `api-key: ${key}`,
  `X-Goog-Api-Key: ${key}`,
  `x-litellm-api-key: Bearer ${key}`,
  `Helicone-Auth: Bearer ${key}`,
  `Ocp-Apim-Subscription-Key: ${key}`,
])('%s shows a key', header => expect(of(header)).toEqual([key]));

it.each([
  'Authorization: Bearer ollama',
  'Authorization: Bearer dummy',
  'Authorization: Bearer sk-no-key-required',
  'x-api-key: replay-needs-no-key',
  'x-api-key: sk-xxxxxxxxxxxxxxxxxxxx',
  'Authorization: Bearer fifteen-letters',
  `Authorization: AWS4-HMAC-SHA256 Credential=${key}/20261122/eu/bedrock, SignedHeaders=host, Signature=${key}`,
  `Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.${key}.${key}`,
  `x-request-id: ${key}`,
  `x-api-key-${'a'.repeat(80)}: ${key}`,
])('%s shows none that is to be hidden', header => expect(of(header)).toEqual([]));

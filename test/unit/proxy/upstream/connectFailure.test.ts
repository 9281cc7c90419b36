import { describe, expect, it } from 'vitest';
import { connectFailure } from '../../../../server/proxy/upstream/connectFailure.ts';

const coded = (code: string, message: string) => Object.assign(new Error(message), { code });

describe('a connection that can’t be opened', () => {
  it('tells why, for each address that was tried', () => {
    const refused = ['::1', '127.0.0.1'].map(address => coded('ECONNREFUSED', `connect ECONNREFUSED ${address}:9`));
    expect(connectFailure('localhost:9', refused[0] ?? new Error())).toMatchObject({
      code: 'proxy.upstream',
      message: "Can't reach localhost:9: connect ECONNREFUSED ::1:9",
      hint: null,
    });
    expect(connectFailure('localhost:9', new AggregateError(refused))).toMatchObject({
      message: "Can't reach localhost:9: connect ECONNREFUSED ::1:9, connect ECONNREFUSED 127.0.0.1:9",
    });
  });

  it.each([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
  ])('over %s says what to do here', (code, reason) => {
    const advice = 'if the root CA is installed locally, try running Node.js with --use-system-ca';
    expect(connectFailure('gateway.example:443', coded(code, `${reason}; ${advice}`))).toMatchObject({
      message: `Can't reach gateway.example:443: ${reason}`,
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    });
  });

  it('over a certificate of another name or time has no such advice', () => {
    const words = 'certificate has expired';
    expect(connectFailure('gateway.example:443', coded('CERT_HAS_EXPIRED', words))).toMatchObject({
      message: `Can't reach gateway.example:443: ${words}`,
      hint: null,
    });
  });
});

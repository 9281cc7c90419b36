import { describe, expect, it } from 'vitest';
import { serverPlace } from '../../../client/connection.ts';
import { endpointOf } from '../../../protocol/endpoint.ts';
import { coachPaths } from '../../../server/base/paths.ts';

const facts = {
  platform: 'linux',
  userId: 1000,
  sha256Hex: () => '0123456789abcdef0123456789abcdef',
};

describe('endpointOf', () => {
  it('puts the socket beside the files of its home', () => {
    expect(endpointOf('/home/u/.codex-coach', facts)).toBe('/home/u/.codex-coach/server.sock');
  });

  it('takes a short place of the same user where the home is too deep for a socket', () => {
    expect(endpointOf(`/home/${'deep/'.repeat(20)}`, facts)).toBe('/tmp/codex-coach-1000/0123456789abcdef.sock');
  });

  it('is a named pipe on Windows', () => {
    expect(endpointOf('C:\\coach', { ...facts, platform: 'win32' })).toBe('\\\\.\\pipe\\codex-coach-0123456789abcdef');
  });

  it.each(['/short', `/long/${'x'.repeat(100)}`])('is the same for the editor and the server in %s', home => {
    expect(serverPlace({ COACH_HOME: home }).endpoint).toBe(coachPaths({ COACH_HOME: home }).socket);
  });
});

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { toAddressPolicy } from '../../../server/proxy/upstream/addressPolicy.ts';
import { aRecordingWorld, openTunnel, type RecordingWorld, readAll } from './recordingWorld.ts';

/** Sends bytes as they stand and reads what comes back. */
function send(place: number | string, text: string): Promise<string> {
  const socket = typeof place === 'number' ? connect(place, '127.0.0.1') : connect(place);
  socket.write(text, 'latin1');
  return readAll(socket);
}

async function anEcho(host = '127.0.0.1') {
  let connections = 0;
  const server = createServer(socket => {
    connections++;
    socket.pipe(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as { port: number }).port, connections: () => connections };
}

describe('a place inside', () => {
  it.each([
    '127.0.0.1',
    '127.1',
    '0x7f.1',
    '0177.0.0.1',
    '2130706433',
    '0.0.0.0',
    'localhost',
    'LocalHost.',
    'any.localhost',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
  ])('%s is not led to, by CONNECT or URL, with a launch or without', async host => {
    const world = await aRecordingWorld();
    const inside = await anEcho();
    const launch = await world.open();
    const credentials = `Proxy-Authorization: Basic ${btoa(`coach:${launch.launch.token}`)}\r\n`;
    const place = `${host}:${inside.port}`;
    for (const shown of ['', credentials]) {
      for (const request of [`CONNECT ${place}`, `GET http://${place}/`]) {
        const answer = await send(world.port, `${request} HTTP/1.1\r\nHost: ${place}\r\n${shown}\r\n`);
        expect(answer).toMatch(/^HTTP\/1\.1 403 /);
        expect(answer).toContain('proxy.allowPrivate (COACH_ALLOW_PRIVATE)');
      }
    }
    expect(inside.connections()).toBe(0);
  });

  it.each([
    '169.254.169.254:80',
    '2852039166:80',
    '[fd00:ec2::254]:80',
    '[::ffff:169.254.169.254]:80',
    '100.100.100.200:80',
    '168.63.129.16:80',
    '10.0.0.1:443',
    '172.31.255.255:443',
    '192.168.1.1:80',
    '100.64.0.1:443',
    '[fe80::1]:443',
    '[fc00::1]:443',
    '224.0.0.1:443',
    '255.255.255.255:443',
  ])('%s is refused before anything is sent there', async target => {
    const world = await aRecordingWorld();
    await expect(openTunnel(world.port, target)).rejects.toThrow(/^HTTP\/1\.1 403 [\s\S]*address/);
  });

  it.each([
    ['localhost', 'localhost'],
    ['127.0.0.0/8', '127.0.0.1'],
    ['10.0.0.0/8, 127.0.0.1', '127.0.0.1'],
    ['*', 'localhost'],
  ])('is led to when the setting says %s', async (setting, host) => {
    const world = await aRecordingWorld(null, { policy: toAddressPolicy(setting) });
    const inside = await anEcho();
    const tunnel = await openTunnel(world.port, `${host}:${inside.port}`);
    tunnel.end('there and back');
    expect(await readAll(tunnel)).toBe('there and back');
  });

  it('is led to on one port alone when the setting names it', async () => {
    const inside = await anEcho();
    const other = await anEcho();
    const policy = toAddressPolicy(`localhost:${inside.port}`);
    const world = await aRecordingWorld(null, { policy });
    (await openTunnel(world.port, `localhost:${inside.port}`)).destroy();
    await expect(openTunnel(world.port, `localhost:${other.port}`)).rejects.toThrow('HTTP/1.1 403');
    expect(other.connections()).toBe(0);
  });

  it('on IPv6 is led to like any other', async () => {
    const inside = await anEcho('::1');
    const world = await aRecordingWorld(null, { policy: toAddressPolicy('::1') });
    const tunnel = await openTunnel(world.port, `[::1]:${inside.port}`);
    tunnel.end('over IPv6');
    expect(await readAll(tunnel)).toBe('over IPv6');
  });
});

describe('a port that is none of the web or ssh', () => {
  it('is open to launches only', async () => {
    const world = await aRecordingWorld();
    const launch = await world.open();
    await expect(openTunnel(world.port, 'nowhere.invalid:25')).rejects.toThrow(
      /^HTTP\/1\.1 403 [\s\S]*add nowhere.invalid:25 to/,
    );
    await expect(openTunnel(world.port, 'nowhere.invalid:25', launch.launch.token)).rejects.toThrow('HTTP/1.1 502');
    await expect(openTunnel(world.port, 'nowhere.invalid:22')).rejects.toThrow('HTTP/1.1 502');
  });
});

describe('the Host of a request to the proxy itself', () => {
  const listeners: readonly (readonly [string, (world: RecordingWorld) => Promise<number | string>])[] = [
    ['the port', async world => world.port],
    [
      'a trial’s socket',
      async world => {
        const path = join(world.directory, 'm.sock');
        await (await world.open({ trialId: 'trial-1' })).listen(path);
        return path;
      },
    ],
  ];
  const refused = [
    ['another site', 'Host: evil.test\r\n'],
    ['another site with our port', 'Host: evil.test:PORT\r\n'],
    ['no Host', ''],
    ['an empty one', 'Host: \r\n'],
    ['a site that looks like ours', 'Host: localhost.evil.com:PORT\r\n'],
    ['a trailing dot', 'Host: localhost.:PORT\r\n'],
    ['punycode', 'Host: xn--lcalhost-54a.test:PORT\r\n'],
    ['letters that look like ours', 'Host: l\u00f6calhost:PORT\r\n'],
    ['a name before ours', 'Host: evil.test@127.0.0.1:PORT\r\n'],
    ['two names in one', 'Host: 127.0.0.1:PORT, evil.test\r\n'],
    ['another way to write loopback', 'Host: 127.1:PORT\r\n'],
    ['all addresses', 'Host: 0.0.0.0:PORT\r\n'],
  ] as const;
  const cases = listeners.flatMap(([name, listen]) =>
    refused.map(([what, header]) => [what, name, listen, header] as const),
  );

  it.each(cases)('is refused: %s, on %s', async (_what, _name, listen, header) => {
    const world = await aRecordingWorld();
    const place = await listen(world);
    const answer = await send(place, `GET /health HTTP/1.1\r\n${header.replaceAll('PORT', String(world.port))}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*Unknown Host/);
  });

  it.each(['GET /health', 'GET http://example.com/', 'CONNECT example.com:443'])(
    'is refused twice: %s',
    async request => {
      const world = await aRecordingWorld();
      const ours = `Host: 127.0.0.1:${world.port}\r\n`;
      for (const hosts of [ours + ours, `${ours}hOST: evil.test\r\n`]) {
        expect(await send(world.port, `${request} HTTP/1.1\r\n${hosts}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
      }
    },
  );

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])('is taken as %s', async name => {
    const world = await aRecordingWorld();
    const answer = await send(world.port, `GET /health HTTP/1.1\r\nHost: ${name}:${world.port}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is checked on every request of a connection', async () => {
    const world = await aRecordingWorld();
    const inside = await anEcho();
    const launch = await world.open({ defaultHost: `http://127.0.0.1:${inside.port}` });
    const path = new URL(launch.launch.baseUrl).pathname;
    const first = `GET ${path}/a HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\n\r\n`;
    const second = `GET ${path}/b HTTP/1.1\r\nHost: evil.test\r\n\r\n`;
    const seen = await send(world.port, first + second).catch(() => '');
    expect(seen).not.toContain('/b');
  });
});

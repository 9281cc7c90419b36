// Runs inside a sandbox, as plain JavaScript on the Node binary that is mounted there.
//
//   node shim.mjs [--listen PORT SOCKET] [--user UID] [--] [command …]
//
// A sandbox has no network. What listens here on 127.0.0.1:PORT hands each connection to the Unix socket that is
// mounted from the host, which is the one way out. `--user` gives up root first (bubblewrap started by root).
// With a command: runs it with our standard streams and ends with its exit code. Without: says `ready` and stays.

import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';

const args = process.argv.slice(2);
let listen = null;
while (args[0]?.startsWith('--')) {
  const flag = args.shift();
  if (flag === '--') break;
  if (flag === '--listen') listen = { port: Number(args.shift()), socket: args.shift() };
  if (flag === '--user') dropTo(Number(args.shift()));
}

if (listen === null) run();
else {
  const server = createServer({ allowHalfOpen: true }, inside => {
    const outside = connect({ path: listen.socket, allowHalfOpen: true });
    const end = () => {
      inside.destroy();
      outside.destroy();
    };
    inside.on('error', end);
    outside.on('error', end);
    inside.on('close', () => outside.destroy());
    outside.on('close', () => inside.destroy());
    inside.pipe(outside).pipe(inside);
  });
  server.on('error', error => {
    process.stderr.write(`sandbox: cannot listen on port ${listen.port}: ${error.message}\n`);
    process.exit(125);
  });
  server.listen(listen.port, '127.0.0.1', run);
}

function run() {
  const [program, ...rest] = args;
  if (program === undefined) {
    process.stdout.write('ready\n');
    setInterval(() => undefined, 2 ** 30);
    return;
  }
  const child = spawn(program, rest, { stdio: 'inherit' });
  child.on('error', error => {
    process.stderr.write(`${program}: ${error.code === 'ENOENT' ? 'not found' : error.message}\n`);
    process.exit(error.code === 'ENOENT' ? 127 : 126);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function dropTo(user) {
  process.setgroups([]);
  process.setgid(user);
  process.setuid(user);
}

// Runs inside a sandbox, as plain JavaScript on the Node binary that is mounted there.
//
//   node shim.mjs [--listen PORT SOCKET] [--user UID] [--] [command …]
//   node shim.mjs --keep DIRECTORY STDIN_BYTES STDOUT_FROM STDERR_FROM -- command …
//   node shim.mjs --follow DIRECTORY STDOUT_FROM STDERR_FROM
//
// A sandbox has no network. What listens here on 127.0.0.1:PORT hands each connection to the Unix socket that is
// mounted from the host, which is the one way out. `--user` gives up root first (bubblewrap started by root).
// With a command: runs it with our standard streams and ends with its exit code. Without: says `ready` and stays.
//
// `--keep` runs a command whose server may die: its output goes to files in DIRECTORY, and so does its exit code. The
// directory is made once, so a second call starts nothing. Says `started` when the command runs, by whichever call, and
// then does what `--follow` does: passes on what has come and what comes, until the command has ended, and ends like it.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { constants } from 'node:os';

/** What is kept of each output. The same as in the trial's files: server/bench/trials/trialFiles.ts. */
const keptBytes = 32 * 1024 * 1024;
/** What a command may print per second without being slowed down. */
const bytesPerSec = 16 * 1024 * 1024;
const lookEveryMs = 25;

const args = process.argv.slice(2);
if (args[0] === '--keep') await keep(args[1], Number(args[2]), Number(args[3]), Number(args[4]), args.slice(6));
else if (args[0] === '--follow') follow(args[1], Number(args[2]), Number(args[3]));
else serve();

function serve() {
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

async function keep(directory, stdinBytes, stdoutFrom, stderrFrom, [program, ...rest]) {
  const input = [];
  let inputBytes = 0;
  for await (const chunk of process.stdin) {
    input.push(chunk);
    inputBytes += chunk.length;
    if (inputBytes >= stdinBytes) break;
  }
  // Its server died while it wrote: better no start than one with half an instruction.
  if (inputBytes < stdinBytes) process.exit(1);
  try {
    mkdirSync(directory);
  } catch (error) {
    if (error.code !== 'EEXIST') {
      process.stderr.write(`sandbox: ${error.message}\n`);
      process.exit(1);
    }
    return follow(directory, stdoutFrom, stderrFrom, 'started\n');
  }
  const files = ['stdout', 'stderr'].map(name => openSync(`${directory}/${name}`, 'w'));
  const write = (name, content) => {
    writeFileSync(`${directory}/${name}.new`, content);
    renameSync(`${directory}/${name}.new`, `${directory}/${name}`);
  };
  let isOver = false;
  const end = code => {
    if (!isOver) write('exit', String(code));
    isOver = true;
  };
  write('keeper', String(process.pid));
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.on('error', error => {
    writeSync(files[1], `${program}: ${error.code === 'ENOENT' ? 'not found' : error.message}\n`);
    end(error.code === 'ENOENT' ? 127 : 126);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(Buffer.concat(input));
  keepOutput(child.stdout, files[0]);
  keepOutput(child.stderr, files[1]);
  let ended = null;
  child.on('exit', (code, signal) => {
    ended = code ?? 128 + (constants.signals[signal] ?? 0);
    // What it left running may hold its output for ever.
    setTimeout(end, 2000, ended);
  });
  child.on('close', () => end(ended ?? 126));
  follow(directory, stdoutFrom, stderrFrom, 'started\n');
}

/** Writes the first part of a stream to a file and lets the rest go, neither faster than a server would read it. */
function keepOutput(stream, file) {
  let leftBytes = keptBytes + 1;
  let paidUntilMs = 0;
  stream.on('data', chunk => {
    if (leftBytes > 0) writeSync(file, chunk.subarray(0, leftBytes));
    leftBytes -= chunk.length;
    const nowMs = performance.now();
    paidUntilMs = Math.max(paidUntilMs, nowMs - 500) + (chunk.length / bytesPerSec) * 1000;
    if (paidUntilMs <= nowMs) return;
    stream.pause();
    setTimeout(() => stream.resume(), paidUntilMs - nowMs);
  });
}

/** Passes on what is kept, after a first line, and ends like the command. */
function follow(directory, stdoutFrom, stderrFrom, firstLine = '') {
  const open = (name, from, fd) => ({ file: openSync(`${directory}/${name}`, 'r'), from, target: target(fd) });
  const outputs = [open('stdout', stdoutFrom, 1), open('stderr', stderrFrom, 2)];
  const keeper = readFileSync(`${directory}/keeper`, 'latin1');
  const buffer = Buffer.alloc(256 * 1024);
  const passOn = async output => {
    for (;;) {
      const sizeBytes = readSync(output.file, buffer, 0, buffer.length, output.from);
      if (sizeBytes === 0) return;
      output.from += sizeBytes;
      await new Promise(resolve => output.target.write(Buffer.from(buffer.subarray(0, sizeBytes)), resolve));
    }
  };
  const look = async () => {
    // Asked before the last reading, which then misses nothing.
    const ended = hasEnded(directory, keeper);
    await Promise.all(outputs.map(passOn));
    if (!ended) return void setTimeout(look, lookEveryMs);
    for (const { file } of outputs) closeSync(file);
    process.exit(exitCode(directory));
  };
  outputs[0].target.write(firstLine, () => void look());
}

/** Unlike `process.stdout` it never blocks: who follows a command and is not read any more must not stop keeping it. */
function target(fd) {
  const socket = new Socket({ fd, readable: false, writable: true });
  socket.on('error', () => undefined);
  return socket;
}

/** Of the command; 125 when nobody can tell. */
function exitCode(directory) {
  try {
    return Number(readFileSync(`${directory}/exit`, 'latin1'));
  } catch {
    return 125;
  }
}

/** Whether the command has ended, or whoever would have told so is gone. */
function hasEnded(directory, keeper) {
  try {
    readFileSync(`${directory}/exit`);
    return true;
  } catch {
    try {
      process.kill(Number(keeper), 0);
      return false;
    } catch {
      return true;
    }
  }
}

function dropTo(user) {
  process.setgroups([]);
  process.setgid(user);
  process.setuid(user);
}

import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../server/base/log.ts';
import type {
  Executor,
  PreparedEnvironment,
  Sandbox,
  SandboxOutcome,
  SandboxSpec,
} from '../../server/executors/executor.ts';
import { processesWith } from '../processes.ts';
import { anEnvironment, temporaryDirectory, writeFiles } from './executorsFixture.ts';

export interface ContractSubject {
  readonly name: string;
  create(coachHome: string): Executor;
  /** What is left on the machine of a sandbox by this name: containers, processes, directories. */
  traces(sandboxName: string, coachHome: string): string[];
  readonly limitsMemory: boolean;
  /** A program that starts a sandbox by a name in a home, runs `sleep 7654` in it and then says so. */
  readonly ownerScript: string;
}

const limits = { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 256, diskBytes: 64 * 1024 ** 2 };

/** What every executor promises; registered once per executor. */
export function executorContract(subject: ContractSubject): void {
  describe(`the ${subject.name} executor`, () => {
    const home = temporaryDirectory('contract');
    const never = new AbortController().signal;
    let environment: PreparedEnvironment;
    let executor: Executor;
    let server: Server;
    let socket: string;
    const sandboxes: Sandbox[] = [];

    const start = async (more: Partial<SandboxSpec> = {}): Promise<Sandbox> => {
      const name = `coach-contract-${process.pid}-${sandboxes.length}-${Date.now()}`;
      const sandbox = await environment.start(
        { name, labels: { 'coach.test': 'contract' }, endpoint: null, mounts: [], limits, ...more },
        never,
      );
      sandboxes.push(sandbox);
      return sandbox;
    };
    const sh = (sandbox: Sandbox, script: string, signal: AbortSignal = never): Promise<SandboxOutcome> =>
      sandbox.exec({ argv: ['sh', '-c', script], cwd: '/app', env: {} }, signal);

    beforeAll(async () => {
      executor = subject.create(home.path);
      const spec = anEnvironment(join(home.path, 'task'), {
        'README.md': 'start\n',
        'src/add.js': 'exports.add = (a, b) => a + b;\n',
        'crlf.txt': 'one\r\ntwo\r\n',
        '.gitattributes': '*.txt text eol=lf\n',
      });
      environment = await executor.prepare(spec, silentLog, never);
      mkdirSync(join(home.path, 'hidden'));
      writeFileSync(join(home.path, 'hidden', 'solution.patch'), 'THE SOLUTION');
      socket = join(home.path, 's', 'model.sock');
      mkdirSync(join(socket, '..'), { mode: 0o711 });
      server = createServer((request, response) => {
        let body = '';
        request.on('data', chunk => (body += chunk));
        request.on('end', () => response.end(`you said ${body} to ${request.url}`));
      });
      await new Promise<void>(resolve => server.listen(socket, resolve));
      chmodSync(socket, 0o666);
    }, 300_000);
    afterEach(async () => {
      await Promise.all(sandboxes.map(sandbox => sandbox.remove()));
    });
    afterAll(async () => {
      await new Promise(resolve => server.close(resolve));
      home.dispose();
    });

    it('says that it can work here and what it does not isolate', async () => {
      const info = await executor.probe();
      expect(info).toMatchObject({ id: executor.id, available: true });
      expect(info.notIsolated.join(' ')).toMatch(/kernel/);
    });

    it('starts with the one commit of the repository, clean, with no remote', async () => {
      const sandbox = await start();
      const outcome = await sh(
        sandbox,
        'git log --oneline | wc -l; git status --short; git remote; cat README.md; pwd',
      );
      expect(
        outcome.stdout
          .toString()
          .trim()
          .split('\n')
          .map(line => line.trim()),
      ).toEqual(['1', 'start', '/app']);
    });

    it('hands over output, exit code, standard input, environment and directory', async () => {
      const sandbox = await start();
      const seen: string[] = [];
      const outcome = await sandbox.exec(
        {
          argv: ['sh', '-c', 'cat; echo "$WORD in $(pwd) of $HOME"; echo oops >&2; exit 7'],
          cwd: '/app/src',
          env: { WORD: 'hello "quoted" $x' },
          stdin: Buffer.from([0x66, 0xff, 0x0a]),
          onStdout: chunk => seen.push(chunk.toString('latin1')),
        },
        never,
      );
      expect(outcome.exitCode).toBe(7);
      expect(outcome.stdout.toString('latin1')).toBe(`f\xff\nhello "quoted" $x in /app/src of ${sandbox.home}\n`);
      expect(outcome.stderr.toString()).toBe('oops\n');
      expect(seen.join('')).toBe(outcome.stdout.toString('latin1'));
    });

    it('gives a command that reads its input an end of it', async () => {
      const sandbox = await start();
      expect((await sh(sandbox, 'cat; echo done')).stdout.toString()).toBe('done\n');
    });

    it('reports a program that does not exist by exit code 127 or 126', async () => {
      const sandbox = await start();
      const outcome = await sandbox.exec({ argv: ['no-such-program'], cwd: '/app', env: {} }, never);
      expect([126, 127]).toContain(outcome.exitCode);
    });

    it('runs as a user without privileges, with node and git at hand', async () => {
      const sandbox = await start();
      const outcome = await sh(
        sandbox,
        'id -u; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; node --version; git --version',
      );
      const text = outcome.stdout.toString();
      expect(text).toContain('1000\n');
      expect(text).toMatch(/CapEff:\s+0000000000000000/);
      expect(text).toMatch(/NoNewPrivs:\s+1/);
      expect(text).toMatch(/v2\d\./);
      expect(text).toMatch(/git version/);
    });

    it('keeps files between commands, in the repository, HOME and /logs', async () => {
      const sandbox = await start();
      await sh(sandbox, 'echo a > new.txt; echo b > "$HOME/b"; mkdir -p /logs/verifier; echo c > /logs/verifier/c');
      expect((await sh(sandbox, 'cat new.txt "$HOME/b" /logs/verifier/c')).stdout.toString()).toBe('a\nb\nc\n');
    });

    it('lets nothing be written outside of them', async () => {
      const sandbox = await start();
      const outcome = await sh(
        sandbox,
        'for d in /usr /etc /opt/coach; do touch $d/x 2>/dev/null && echo wrote $d; done; true',
      );
      expect(outcome.stdout.toString()).toBe('');
    });

    it('has no network: neither the host nor the outside', async () => {
      const sandbox = await start();
      const tcp = createServer();
      await new Promise<void>(resolve => tcp.listen(0, '0.0.0.0', resolve));
      const { port } = tcp.address() as { port: number };
      // Every address of this very machine; none of them may be reached.
      const own = Object.values(networkInterfaces()).flatMap(list => (list ?? []).map(({ address }) => address));
      const probe = `const net=require('net');const end=m=>{console.log(m);process.exit()};
        const hosts=${JSON.stringify(own)};setTimeout(()=>end('silent'),1500);let left=hosts.length;
        for(const host of hosts)
          net.connect(${port},host).on('connect',()=>end('CONNECTED '+host)).on('error',()=>--left||end('refused'));`;
      const outcome = await sandbox.exec({ argv: ['node', '-e', probe], cwd: '/app', env: {} }, never);
      tcp.close();
      expect(outcome.stdout.toString().trim()).toMatch(/^(refused|silent)$/);
      const interfaces = await sandbox.exec(
        { argv: ['node', '-p', 'Object.keys(require("os").networkInterfaces()).join()'], cwd: '/app', env: {} },
        never,
      );
      expect(interfaces.stdout.toString().trim()).toBe('lo');
    });

    it('is itself what localhost and its own name lead to', async () => {
      const sandbox = await start();
      const addresses = `const {lookup}=require('dns').promises;
        Promise.all(['localhost',require('os').hostname()].map(name=>lookup(name,{all:true})))
          .then(found=>console.log(found.flat().map(({address})=>address).join()))`;
      const outcome = await sandbox.exec({ argv: ['node', '-e', addresses], cwd: '/app', env: {} }, never);
      expect(outcome.stdout.toString()).toBe('127.0.0.1,127.0.0.1\n');
    });

    it('reaches the endpoint, and only the endpoint, over 127.0.0.1', async () => {
      const sandbox = await start({ endpoint: { socket, port: 18099 } });
      const script = `fetch('http://127.0.0.1:18099/v1/x',{method:'POST',body:'hi'}).then(r=>r.text()).then(console.log)`;
      const outcome = await sandbox.exec({ argv: ['node', '-e', script], cwd: '/app', env: {} }, never);
      expect(outcome.stdout.toString()).toBe('you said hi to /v1/x\n');
    });

    it('shows no file of this machine: not the task, not the state, not the repository', async () => {
      const sandbox = await start();
      const outcome = await sh(
        sandbox,
        `ls -a ${home.path} ${process.cwd()} /root 2>/dev/null; grep -rl "THE SOLUTION" / --include=*.patch 2>/dev/null; true`,
      );
      expect(outcome.stdout.toString()).toBe('');
    });

    it('shows mounts read-only', async () => {
      const tool = join(home.path, 'tool');
      writeFiles(tool, { 'bin/hello': '#!/bin/sh\necho hello\n' });
      chmodSync(join(tool, 'bin/hello'), 0o755);
      const sandbox = await start({ mounts: [{ host: tool, inside: '/opt/agent' }] });
      const outcome = await sh(sandbox, '/opt/agent/bin/hello; touch /opt/agent/x 2>/dev/null || echo read-only');
      expect(outcome.stdout.toString()).toBe('hello\nread-only\n');
    });

    it('copies files in, through no link that stands on the way', async () => {
      const from = join(home.path, 'in');
      writeFiles(from, { 'deep/hidden.test.js': 'new', 'run.sh': 'echo ran' });
      chmodSync(join(from, 'run.sh'), 0o755);
      const sandbox = await start();
      await sh(sandbox, 'mkdir /logs/elsewhere; ln -s /logs/elsewhere test; mkdir old; echo old > old/run.sh');
      await sandbox.copyIn(from, '/app/test', never);
      await sandbox.copyIn(from, '/app/old', never);
      const outcome = await sh(
        sandbox,
        'cat test/deep/hidden.test.js; ls /logs/elsewhere; sh old/run.sh; test -x test/run.sh && echo executable; echo more >> test/run.sh && echo mine',
      );
      expect(outcome.stdout.toString()).toBe('newran\nexecutable\nmine\n');
    });

    it('refuses to copy links in', async () => {
      const from = join(home.path, 'links');
      mkdirSync(from, { recursive: true });
      symlinkSync('/etc/passwd', join(from, 'link'));
      const sandbox = await start();
      await expect(sandbox.copyIn(from, '/app/x', never)).rejects.toThrow(/link/);
    });

    it('copies a hostile directory out: links stay links, .git and devices are dropped, nothing leaves the target', async () => {
      const sandbox = await start();
      const made = await sh(
        sandbox,
        `ln -s /etc link; ln -s ../../../escape up; mkfifo pipe; mkdir -p sub/.git sub/.GIT a; echo evil > sub/.git/config
         echo evil > sub/.GIT/config; echo x > a/f; chmod 755 a/f; ln a/f hard; ln -s a dirlink; mkdir locked; echo y > locked/y; chmod 000 locked/y locked`,
      );
      expect(made.stderr.toString()).toBe('');
      const out = join(home.path, `out-${Date.now()}`);
      mkdirSync(out);
      await sandbox.copyOut('/app', out, never);
      expect(readdirSync(out).toSorted()).toEqual(
        [
          '.gitattributes',
          'README.md',
          'a',
          'crlf.txt',
          'dirlink',
          'hard',
          'link',
          'locked',
          'src',
          'sub',
          'up',
        ].toSorted(),
      );
      expect(readlinkSync(join(out, 'link'))).toBe('/etc');
      expect(lstatSync(join(out, 'dirlink')).isSymbolicLink()).toBe(true);
      expect(readdirSync(join(out, 'sub'))).toEqual([]);
      expect(readFileSync(join(out, 'hard'), 'utf8')).toBe('x\n');
      expect(lstatSync(join(out, 'a/f')).mode & 0o111).not.toBe(0);
      expect(readFileSync(join(out, 'locked/y'), 'utf8')).toBe('y\n');
      expect(existsSync(join(home.path, 'escape'))).toBe(false);
    });

    it('does not follow a link that stands for the directory to copy out', async () => {
      const sandbox = await start();
      await sh(sandbox, 'ln -s /etc /logs/verifier');
      const out = join(home.path, `out-${Date.now()}`);
      mkdirSync(out);
      await sandbox.copyOut('/logs/verifier', out, never).catch(() => undefined);
      expect(readdirSync(out)).toEqual([]);
    });

    it('reads a plain file, up to a size, and no link, no directory, nothing that is not there', async () => {
      const sandbox = await start();
      await sh(
        sandbox,
        'echo 123456789 > plain; : > empty; ln -s plain link; ln -s /app/src dirlink; echo x > src/in; mkfifo pipe',
      );
      const read = async (path: string, maxBytes = 100) =>
        (await sandbox.readFile(path, maxBytes, never))?.toString() ?? null;
      expect(await read('/app/plain')).toBe('123456789\n');
      expect(await read('/app/plain', 4)).toBe('1234');
      expect(await read('/app/empty')).toBe('');
      for (const path of ['link', 'src', 'pipe', 'none', 'plain/below']) expect(await read(`/app/${path}`)).toBeNull();
      await expect(read('/etc/passwd')).rejects.toThrow(/not a place/);
    });

    it('runs the one command that a sandbox is for, with the files that were copied in, and nothing after it', async () => {
      const from = join(home.path, 'laid');
      writeFiles(from, { 'note.txt': 'laid\n' });
      const mark = `8${Date.now() % 1_000_000}`;
      const script = `cat note.txt; cat; id -u; echo "$WORD"; echo kept > /logs/kept; (setsid sleep ${mark} &) ; exit 5`;
      const only = { argv: ['sh', '-c', script] as const, cwd: '/app/src', env: { WORD: 'word' } };
      const sandbox = await start({ only });
      await sandbox.copyIn(from, '/app/src', never);
      let hasStarted = false;
      const onStarted = () => {
        hasStarted = true;
      };
      const outcome = await sandbox.exec({ ...only, stdin: 'input\n', onStarted }, never);
      expect(hasStarted).toBe(true);
      expect(outcome).toMatchObject({ exitCode: 5 });
      expect(outcome.stdout.toString()).toBe('laid\ninput\n1000\nword\n');
      await expect.poll(() => processesWith(mark), { timeout: 1000 }).toEqual([]);
      expect((await sandbox.readFile('/logs/kept', 100, never))?.toString()).toBe('kept\n');
    });

    it('ends the one command of a sandbox with its signal, also when that comes before its start', async () => {
      const mark = `7${Date.now() % 1_000_000}`;
      const only = { argv: ['sh', '-c', `echo up; sleep ${mark}`] as const, cwd: '/app', env: {} };
      const stop = new AbortController();
      const sandbox = await start({ only });
      const onStdout = () => stop.abort(new Error('time is up'));
      await expect(sandbox.exec({ ...only, onStdout }, stop.signal)).rejects.toThrow('time is up');
      await expect.poll(() => processesWith(mark), { timeout: 1000 }).toEqual([]);
      const other = await start({ only });
      await expect(other.exec(only, stop.signal)).rejects.toThrow('time is up');
      const early = new AbortController();
      const third = await start({ only });
      const running = third.exec(only, early.signal);
      early.abort(new Error('too early'));
      await expect(running).rejects.toThrow('too early');
      await expect.poll(() => processesWith(mark), { timeout: 3000 }).toEqual([]);
    });

    it('kills a whole tree of processes within a second and can still be copied out', async () => {
      const sandbox = await start();
      const stop = new AbortController();
      const mark = `9${Date.now() % 1_000_000}`;
      let started = () => {};
      const ready = new Promise<void>(resolve => (started = resolve));
      const running = sandbox.exec(
        {
          argv: [
            'sh',
            '-c',
            `echo partial > work.txt; (setsid sleep ${mark} &) ; trap "" TERM INT; sleep ${mark} & echo up; wait; sleep ${mark}`,
          ],
          cwd: '/app',
          env: {},
          onStdout: () => started(),
        },
        stop.signal,
      );
      await ready;
      const from = Date.now();
      stop.abort(new Error('time is up'));
      await expect(running).rejects.toThrow('time is up');
      expect(Date.now() - from).toBeLessThan(1000);
      await expect.poll(() => processesWith(mark), { timeout: 1000 }).toEqual([]);
      const out = join(home.path, `out-${Date.now()}`);
      mkdirSync(out);
      await sandbox.copyOut('/app', out, never);
      expect(readFileSync(join(out, 'work.txt'), 'utf8')).toBe('partial\n');
    });

    it('ends what takes more of the disk than it may, however many files it takes, and can still be copied out', {
      timeout: 60_000,
    }, async () => {
      const sandbox = await start();
      const fill =
        'echo kept > work.txt; mkdir /logs/fill; i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > /logs/fill/$i; sleep 0.02; done';
      await expect(sh(sandbox, fill)).rejects.toMatchObject({ code: 'sandbox.diskSpent' });
      const out = join(home.path, `out-${Date.now()}`);
      mkdirSync(out);
      await sandbox.copyOut('/app', out, never);
      expect(readFileSync(join(out, 'work.txt'), 'utf8')).toBe('kept\n');
    });

    if (subject.limitsMemory) {
      it('kills what takes more memory than it may', async () => {
        const sandbox = await start();
        const hog = 'const all=[];for(;;)all.push(Buffer.alloc(16<<20,1))';
        const outcome = await sandbox.exec({ argv: ['node', '-e', hog], cwd: '/app', env: {} }, never);
        expect(outcome.exitCode).toBe(137);
      });
    }

    it('leaves nothing after its removal, also when it is removed twice or in the middle of a command', async () => {
      const sandbox = await start();
      const name = `coach-contract-removed-${Date.now()}`;
      const other = await start({ name });
      const running = sh(other, 'sleep 600').catch((error: unknown) => error);
      await new Promise(resolve => setTimeout(resolve, 300));
      await Promise.all([other.remove(), other.remove(), sandbox.remove()]);
      await running;
      await other.remove();
      await expect.poll(() => subject.traces(name, home.path), { timeout: 2000 }).toEqual([]);
    });

    it('removes in its sweep nothing that a living owner uses', async () => {
      const sandbox = await start();
      expect(await executor.sweep(silentLog)).toBe(0);
      expect((await sh(sandbox, 'echo alive')).stdout.toString()).toBe('alive\n');
    });

    it('sweeps what a killed owner left behind, with its processes', async () => {
      const name = `coach-contract-orphan-${Date.now()}`;
      const owner = spawn(process.execPath, [subject.ownerScript, home.path, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise(resolve => owner.stdout.once('data', resolve));
      owner.kill('SIGKILL');
      await new Promise(resolve => owner.once('exit', resolve));
      expect(await executor.sweep(silentLog)).toBe(1);
      await expect.poll(() => subject.traces(name, home.path), { timeout: 2000 }).toEqual([]);
      await expect.poll(() => processesWith('sleep 7654'), { timeout: 2000 }).toEqual([]);
    });

    it('leaves nothing when it is cancelled at its start', async () => {
      const stop = new AbortController();
      const name = `coach-contract-cancelled-${Date.now()}`;
      const starting = environment.start(
        { name, labels: {}, endpoint: { socket, port: 18099 }, mounts: [], limits },
        stop.signal,
      );
      setTimeout(() => stop.abort(new Error('cancelled')), 20);
      await starting.then(sandbox => sandbox.remove()).catch((error: unknown) => error);
      await expect.poll(() => subject.traces(name, home.path), { timeout: 2000 }).toEqual([]);
    });

    it('does not change the repository that the sandboxes start from', async () => {
      const first = await start();
      await sh(first, 'echo changed > README.md; rm -rf .git src');
      const second = await start();
      const outcome = await sh(second, 'cat README.md src/add.js; git status --short');
      expect(outcome.stdout.toString()).toBe('start\nexports.add = (a, b) => a + b;\n');
    });
  });
}

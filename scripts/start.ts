// The main job: builds what changed, then `codex-coach demo`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, hostTarget } from './build.ts';
import { root } from './root.ts';

await build({ target: hostTarget(), dev: false });
const child = spawn(process.execPath, [join(root, 'bin', 'codex-coach.cjs'), 'demo', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself; this process only waits for it to clean up.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signal !== 'SIGINT') child.kill(signal);
  });
}
child.on('exit', code => process.exit(code ?? 1));

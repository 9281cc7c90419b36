import { nodeProblem } from './base/version.ts';

const problem = nodeProblem();
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

try {
  process.cwd();
} catch {
  process.stderr.write('The current directory is gone. Go to one that is there, such as: cd ~\n');
  process.exit(1);
}

// Who reads the output, such as `head`, has enough of it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`The output could not be written: ${error.message}\n`);
  process.exit(1);
});

// Notes that nobody reads change nothing of what a command does, nor of the exit code of an agent.
process.stderr.on('error', () => undefined);

// No top-level await: the bundle is CommonJS.
void Promise.all([import('./surfaces/cli/program.ts'), import('./demo/demo.ts'), import('./setup/commands.ts')]).then(
  async ([{ runCli }, { addDemoCommand }, { addSetupCommands }]) => {
    process.exitCode = await runCli(process.argv.slice(2), [addDemoCommand, addSetupCommands]);
  },
);

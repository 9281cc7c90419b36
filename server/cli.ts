import { nodeProblem } from './base/version.ts';

const problem = nodeProblem();
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(1);
}

// No top-level await: the bundle is CommonJS.
void Promise.all([import('./surfaces/cli/program.ts'), import('./demo/demo.ts'), import('./setup/commands.ts')]).then(
  async ([{ runCli }, { addDemoCommand }, { addSetupCommands }]) => {
    process.exitCode = await runCli(process.argv.slice(2), [addDemoCommand, addSetupCommands]);
  },
);

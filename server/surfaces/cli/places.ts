import { join } from 'node:path';

/** The background server's program, beside this one in the build. */
export const serverProgram = join(import.meta.dirname, 'server.cjs');

/** What we ship beside the programs: sample project, recorded session. */
export const mediaDirectory = join(import.meta.dirname, '..', 'media');

/** The `codex-coach` command itself. */
export const cliProgram = join(import.meta.dirname, '..', 'bin', 'codex-coach.cjs');

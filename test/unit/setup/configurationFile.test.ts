import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readConfiguration } from '../../../server/setup/configurationFile.ts';
import { temporaryDirectory } from '../../temporary.ts';

it.skipIf(process.platform === 'win32')(
  'leaves alone what leads to no file, as where /dev/null stands for it',
  async () => {
    const directory = temporaryDirectory();
    execFileSync('mkfifo', [join(directory, 'pipe')]);
    const file = join(directory, 'config.toml');
    symlinkSync('pipe', file);
    await expect(readConfiguration(file)).rejects.toMatchObject({
      code: 'input.invalid',
      message: `${file} is no file and is left alone.`,
    });
    expect(await readConfiguration(join(directory, 'none'))).toBeNull();
  },
);

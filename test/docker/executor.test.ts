import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { executorContract } from '../integration/executorsContract.ts';
import { testDockerExecutor } from '../integration/executorsFixture.ts';
import { requireFeature } from '../require.ts';

describe.skipIf(!requireFeature('docker'))('Docker sandboxes', () => {
  executorContract({
    name: 'docker',
    limitsMemory: true,
    ownerScript: fileURLToPath(new URL('./executorOwner.ts', import.meta.url)),
    create: testDockerExecutor,
    traces: name => docker('ps', '--all', '--filter', `name=${name}`, '--format', '{{.Names}}'),
  });
});

function docker(...args: string[]): string[] {
  return execFileSync('docker', args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { processesWith } from '../processes.ts';
import { requireFeature } from '../require.ts';
import { executorContract } from './executorsContract.ts';
import { testLocalExecutor } from './executorsFixture.ts';

describe.skipIf(!requireFeature('sandbox'))('local sandboxes', () => {
  executorContract({
    name: 'local',
    limitsMemory: false,
    ownerScript: fileURLToPath(new URL('./executorsLocalOwner.ts', import.meta.url)),
    create: testLocalExecutor,
    traces: (name, coachHome) => [
      ...processesWith(name),
      ...(existsSync(join(coachHome, 'workspaces', name)) ? [`directory ${name}`] : []),
    ],
  });
});

import { expect, it } from 'vitest';
import { layerViolations } from '../../../scripts/layers.ts';
import { root } from '../../../scripts/root.ts';
import { aCheckout } from './aCheckout.ts';

const planted: Record<string, string> = {
  'protocol/a.ts': "import { b } from '../server/base/b.ts';",
  'protocol/c.ts': "import { readFileSync } from 'node:fs';",
  'server/base/b.ts': "import { t } from '../traces/t.ts';",
  'server/traces/t.ts': "import {\n  r,\n} from '../bench/r.ts';",
  'server/agents/a.ts': "export { e } from '../executors/e.ts';",
  'server/tasks/x.ts': "const v = await import('vscode');",
  'server/bench/y.ts': "import { spawn } from 'node:child_process';",
  'client/z.ts': "import type { S } from '../server/base/b.ts';",
  'webview/w.ts': "import '../server/main.ts';",
  'server/surfaces/s.ts': "import { r } from '../bench/r.ts';",
};

it.each(Object.entries(planted))('reports the planted violation in %s', (file, source) => {
  const directory = aCheckout({ [file]: source });
  expect(layerViolations(directory)).toEqual([expect.stringContaining(file)]);
});

it('lets through what may be imported', () => {
  const directory = aCheckout({
    'server/bench/run.ts':
      "import { t } from '../tasks/t.ts';\nimport { z } from 'zod';\nimport { join } from 'node:path';",
    'client/extension.ts': "import * as vscode from 'vscode';\nimport { runs } from '../protocol/runs.ts';",
  });
  expect(layerViolations(directory)).toEqual([]);
});

it('finds nothing in our own code', () => {
  expect(layerViolations(root)).toEqual([]);
});

import { describe, expect, it } from 'vitest';
import { patchedPaths } from '../../../server/git/patch.ts';

const added = (name: string) =>
  `diff --git ${name.replace('b/', 'a/')} ${name}\nnew file mode 100644\n--- /dev/null\n+++ ${name}\n@@ -0,0 +1 @@\n+line\n`;
const chmod = 'diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n';
const deleted =
  'diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-rename from here\n';
const renamed = 'diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to new\n';

describe('the paths of a patch', () => {
  it('are those that git would change, whatever is in their names', async () => {
    const patch = [added('b/plain'), added('b/with space'), added('"b/tab\\there \\303\\244"'), chmod, deleted].join(
      '',
    );
    expect(await patchedPaths(Buffer.from(patch))).toEqual(['plain', 'with space', 'tab\there ä', 'run.sh', 'gone']);
  });

  it('are unknown where one is renamed, and where there is no patch', async () => {
    expect(await patchedPaths(Buffer.from(added('b/plain') + renamed))).toBeNull();
    expect(await patchedPaths(Buffer.from('nothing of the kind'))).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { interruptAt, startDemo } from '../demoProcess.ts';
import { requireFeature } from '../require.ts';
import { aWorld, containers, provideCodex } from '../world.ts';

const inDocker = { COACH_EXECUTOR: 'docker' };

describe.skipIf(!requireFeature('docker') || !requireFeature('codex'))(
  'the main job in Docker',
  { timeout: 240_000 },
  () => {
    it('ends well and leaves no process and no container', async () => {
      const world = aWorld();
      provideCodex(world);
      const { code, stdout, stderr } = await startDemo(world, [], inDocker).ended;
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain('proven in docker: reference = 1, no-op = 0');
      expect(world.processes()).toEqual([]);
      expect(containers()).toEqual([]);
    });

    it.each(['4/6  ', '✓ prepared', '5/6  ', 'The agent works.', 'The work is judged.'])(
      'is interrupted at "%s" without leaving a process or a container',
      async text => {
        const world = aWorld();
        provideCodex(world);
        const demo = startDemo(world, [], inDocker);
        await interruptAt(demo, text);
        expect((await demo.ended).code).toBe(130);
        await expect.poll(() => [world.processes(), containers()], { timeout: 10_000 }).toEqual([[], []]);
      },
    );
  },
);

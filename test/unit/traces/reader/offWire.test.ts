import { expect, it, onTestFinished } from 'vitest';
import { openReadings } from '../../../../server/traces/reader/readings.ts';
import { aRecorder } from '../recordedTraffic.ts';

it('says of an exchange that nobody recorded that “codex file” sessions were never on our wire', async () => {
  const { readings, close } = openReadings({ tracesDb: aRecorder().file, codexDirectories: [] });
  onTestFinished(() => close());
  const fault = expect.objectContaining({
    code: 'session.missing',
    hint: expect.stringMatching(/“codex file” .* was never on our wire/),
  });
  await expect(readings.changes({ exchangeId: '01a20551-d838-78d0-834d-8af3b89530c8#1' })).rejects.toThrow(fault);
  await expect(readings.events({ id: '01a20551-d838-78d0-834d-8af3b89530c8' })).rejects.toThrow(fault);
});

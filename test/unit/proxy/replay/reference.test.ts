import { expect, it } from 'vitest';
import { openReplaySource } from '../../../../server/proxy/replay/reference.ts';
import { aRecorder, aReply, said } from '../../traces/recordedTraffic.ts';

const recordedId = '01a20551-d84a-71b2-8f99-06f01ba0c0b5';
const fileId = '01a20552-afbd-7642-a435-a7c2c076daac';

function aStore() {
  const { store, record } = aRecorder();
  const request = { model: 'gpt-5.5', input: [said('user', 'Hi')] };
  record({ request, response: aReply([said('assistant', 'Hello')]), headers: { 'thread-id': recordedId } });
  const files = { list: async () => [{ id: fileId, file: '/f', modifiedMs: 0, sizeBytes: 0 }] };
  return { store, files };
}

it('takes the beginning of a session’s id, as other commands do', async () => {
  const { store, files } = aStore();
  for (const id of [recordedId, '01a20551', recordedId.slice(0, 20)]) {
    expect(await openReplaySource(`session:${id}`, store, { files })).toMatchObject({ model: 'gpt-5.5' });
  }
  await expect(openReplaySource('session:01a2', store, { files })).rejects.toThrow(/More than one session/);
  await expect(openReplaySource('session:nothing', store, { files })).rejects.toThrow('nothing');
});

it('says of a session that only Codex wrote down that it was never on our wire', async () => {
  const { store, files } = aStore();
  for (const id of [fileId, '01a20552']) {
    await expect(openReplaySource(`session:${id}`, store, { files })).rejects.toMatchObject({
      code: 'input.invalid',
      message: expect.stringMatching(/01a20552-afbd-.* never on our wire/),
    });
  }
});

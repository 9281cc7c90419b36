// Records as fast as it can and prints the id of each exchange as soon as the recorder reports it stored. Runs until it is
// killed. argv: database, first number.
import { silentLog } from '../../../server/base/log.ts';
import { startRecorder } from '../../../server/traces/recorder/recorder.ts';
import { anOrigin, aReply, feed, said } from '../../unit/traces/recordedTraffic.ts';

const [file = '', first = '0'] = process.argv.slice(2);
const recorder = await startRecorder({ file, workerFile: null, idleSeconds: 60, log: silentLog });
recorder.onEvent(event => {
  if (event.kind === 'exchange') process.stdout.write(`${event.id}\n`);
});
const history: object[] = [];
for (let number = Number(first); ; number++) {
  history.push(said('user', `Question ${number} ${'at some length '.repeat(30)}`));
  if (history.length > 40) history.length = 0;
  const headers = { 'thread-id': `thread-${Math.floor(number / 40)}` };
  feed(recorder.tap(anOrigin()), { request: { model: 'm', input: [...history] }, response: aReply([]), headers });
  if (number % 4 === 0) await recorder.flush();
}

import { get } from 'node:http';

const timeoutMs = 1000;

/** Whether a Codex Coach proxy answers on this port of the machine. */
export function isOurProxy(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port, path: '/health', timeout: timeoutMs }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text = (text + chunk).slice(0, 1000);
      });
      response.on('end', () => resolve(text.includes('"codex-coach"')));
      response.on('error', () => resolve(false));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/** What only the machine knows; brought by the caller so that this stays free of Node. */
export interface EndpointFacts {
  readonly platform: string;
  readonly userId: number;
  sha256Hex(text: string): string;
}

/** Longest path that every Unix takes for a socket (`sun_path` is 104 bytes on macOS, 108 on Linux). */
const maxSocketPath = 100;
/** Where it lies for a longer COACH_HOME. Not TMPDIR: who asks may have another one than the server had. */
const socketDirectory = '/tmp';

/** Where the background server of a COACH_HOME listens: a socket beside its files, or a named pipe on Windows. */
export function endpointOf(home: string, facts: EndpointFacts): string {
  const digest = () => facts.sha256Hex(home).slice(0, 16);
  if (facts.platform === 'win32') return `\\\\.\\pipe\\codex-coach-${digest()}`;
  const beside = `${home}/server.sock`;
  if (beside.length <= maxSocketPath) return beside;
  return `${socketDirectory}/codex-coach-${facts.userId}/${digest()}.sock`;
}

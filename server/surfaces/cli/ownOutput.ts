import { fstatSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { RequestSpec } from '../../../protocol/api.ts';
import { sessions } from '../../../protocol/sessions.ts';
import { destinationOf, writeTo } from '../../base/destination.ts';

type Params = Readonly<Record<string, unknown>>;

/**
 * Answers a request, and writes its text here when its `output` is a device or a pipe: as /dev/stdout, or the /dev/fd/63
 * that a shell puts for `>(gzip)`, that is one of this process, and another one to the server.
 */
export async function withOwnOutput(
  spec: RequestSpec,
  params: Params,
  ask: (params: Params) => Promise<unknown>,
  signal: AbortSignal,
): Promise<unknown> {
  const { output, ...others } = params;
  if (spec !== sessions.members.export || typeof output !== 'string' || others['endpoint'] !== undefined) {
    return ask(params);
  }
  if (await isStandardOutput(output)) return ask(others);
  const { kind, path } = await destinationOf(output);
  // A redirected /dev/fd/5 is a file here, and to the server one that it has open itself.
  if (kind !== 'stream') return ask(kind === 'file' ? { ...params, output: path } : params);
  const answer = sessions.members.export.result.parse(await ask(others));
  await writeTo({ kind, path, isTaken: false }, answer.text ?? '', 0o600, signal);
  return { ...answer, written: output, text: null };
}

/** Also where it was redirected to a file, which would be replaced under what is printed. */
async function isStandardOutput(output: string): Promise<boolean> {
  try {
    const [named, own] = [await stat(output), fstatSync(1)];
    return named.dev === own.dev && named.ino === own.ino;
  } catch {
    return false;
  }
}

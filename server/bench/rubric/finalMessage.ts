import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Agent } from '../../agents/agent.ts';

/** Where the last message of an agent is looked for: the end of its output. */
const tailBytes = 1024 * 1024;

/** The agent's last words by its own output in the trial's directory; null when it said nothing. */
export async function finalMessage(directory: string, agent: Agent): Promise<string | null> {
  if (agent.kind !== 'program') return null;
  const lines = (await tailOf(join(directory, 'agent', 'stdout.jsonl'))).split('\n');
  for (const line of lines.toReversed()) {
    const message = agent.parseLine(line).findLast(({ kind, text }) => kind === 'message' && text.trim() !== '');
    if (message !== undefined) return message.text;
  }
  return null;
}

async function tailOf(file: string): Promise<string> {
  const handle = await open(file).catch(() => null);
  if (handle === null) return '';
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, tailBytes)), {
      position: Math.max(0, size - tailBytes),
    });
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}

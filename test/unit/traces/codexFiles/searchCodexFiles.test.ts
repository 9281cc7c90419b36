import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CodexSessionFiles } from '../../../../server/traces/codexFiles/codexSessionFiles.ts';
import { searchCodexFiles } from '../../../../server/traces/codexFiles/searchCodexFiles.ts';
import { Redactor } from '../../../../server/traces/redaction/redaction.ts';
import { temporaryDirectory } from '../../../temporary.ts';
import { aRecorder } from '../recordedTraffic.ts';
import { aThread, threadId } from './aThread.ts';

it('finds what was said in Codex’s files, and not the instructions that stand in each of them', async () => {
  const directory = temporaryDirectory();
  const day = join(directory, '2026', '11', '21');
  mkdirSync(day, { recursive: true });
  const rules = { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Mind the sandbox.' }] };
  const line = JSON.stringify({ timestamp: '2026-11-21T15:00:01.500Z', type: 'response_item', payload: rules });
  const [meta, ...rest] = aThread({ prompt: 'Say hi to Codex.' }).lines;
  writeFileSync(join(day, `rollout-2026-11-21T15-00-34-${threadId}.jsonl`), [meta, line, ...rest].join('\n'));
  const files = new CodexSessionFiles([directory], new Redactor());
  const { store } = aRecorder();
  const snippets = async (words: string) => {
    const hits = await searchCodexFiles({ store, files, words, limit: 10 }, new AbortController().signal);
    return hits.map(({ snippet }) => snippet);
  };
  expect(await snippets('codex')).toEqual(['Say hi to «Codex».']);
  expect(await snippets('You are')).toEqual([]);
  expect(await snippets('sandbox')).toEqual([]);
});

import { describe, expect, it, vi } from 'vitest';
import { type RecordedFile, toRecordedFile, toUri } from '../../../../client/review/uris.ts';

vi.mock('vscode', () => ({ Uri: { from: (parts: object) => parts } }));

describe('addresses of recorded files', () => {
  it.each<RecordedFile>([
    { origin: { kind: 'trial', trialId: 'r1.a&b=c.codex.1' }, side: 'agent', path: 'src/ü #1?.ts', blob: 'abc' },
    { origin: { kind: 'trial', trialId: 't' }, side: 'reference', path: 'a', blob: null },
    { origin: { kind: 'session', sessionId: 's 1', repository: '/home/a b' }, side: 'start', path: 'a', blob: 'abc' },
  ])('name all that a file is asked for by', file => {
    expect(toRecordedFile(toUri(file))).toEqual(file);
  });

  it('are told from those of other documents', () => {
    const uri = { scheme: 'codex-coach', authority: 'agent', path: '/a', query: 'trial=t' };
    expect(toRecordedFile(uri)).not.toBeNull();
    expect(toRecordedFile({ ...uri, scheme: 'file' })).toBeNull();
    expect(toRecordedFile({ ...uri, authority: 'session' })).toBeNull();
    expect(toRecordedFile({ ...uri, query: 'session=s' })).toBeNull();
  });
});

import type { IntegrityFlag } from '../../../protocol/integrity.ts';
import type { AgentEvent } from '../../agents/agent.ts';
import { commandKinds, namesForbidden } from './commands.ts';

/** An event of an agent and where it stands. */
export interface PlacedEvent {
  readonly event: Pick<AgentEvent, 'kind' | 'text'>;
  readonly place: string;
}

/** A host that the proxy kept an agent from. */
export interface DeniedHost {
  readonly at: string;
  readonly host: string;
  readonly port: number;
}

export interface IntegrityEvidence {
  readonly events: Iterable<PlacedEvent>;
  readonly denied: readonly DeniedHost[];
  /** What its change shows (`patchFlags`). */
  readonly changes: readonly IntegrityFlag[];
}

const quotedLength = 300;
/** Of one kind; more of the same tell nothing new. */
const maxPerKind = 20;

/** What a person should look at before a verdict is believed, in the order in which it happened. */
export function integrityFlags({ events, denied, changes }: IntegrityEvidence): IntegrityFlag[] {
  const flags: IntegrityFlag[] = [];
  const counts = new Map<string, number>();
  const add = (flag: IntegrityFlag) => {
    const count = (counts.get(flag.kind) ?? 0) + 1;
    counts.set(flag.kind, count);
    if (count <= maxPerKind) flags.push({ ...flag, evidence: quote(flag.evidence) });
  };
  for (const { event, place } of events) {
    for (const kind of eventKinds(event)) add({ kind, evidence: event.text, place });
  }
  const places = new Map(denied.map(({ host, port, at }) => [`${host}:${port}`, at]));
  for (const [target, at] of places) {
    add({ kind: 'networkAttempt', evidence: `${target} was refused`, place: `proxy, ${at}` });
  }
  for (const flag of changes) add(flag);
  return flags;
}

function eventKinds({ kind, text }: PlacedEvent['event']): IntegrityFlag['kind'][] {
  if (kind === 'command') return commandKinds(text);
  if (kind !== 'tool') return [];
  return [
    ...(/^(?:web search:|web_?search\b|google_web_search\b|web_?fetch\b)/i.test(text)
      ? (['upstreamSearch'] as const)
      : []),
    // A tool's name and what it was given, as JSON.
    ...(namesForbidden(text) ? (['outsideRead'] as const) : []),
  ];
}

function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= quotedLength ? line : `${line.slice(0, quotedLength - 1)}…`;
}

import type { ConversationItem, Exchange } from '../../../protocol/sessions.ts';
import type { Cost, Usage } from '../../../protocol/usage.ts';
import { type SessionReader, wholeSession } from '../sessions/sessionReader.ts';
import { pairOutputs } from '../sessions/toolOutputs.ts';
import { wellFormed } from './wellFormed.ts';

/** `session_clean.json`: a session without transport noise. */
export interface CleanSession {
  readonly format: 1;
  readonly session_id: string;
  readonly agent: string | null;
  readonly title: string;
  readonly repository: string | null;
  readonly started_at: string;
  readonly ended_at: string;
  readonly models: readonly string[];
  readonly messages: readonly CleanMessage[];
  readonly exchanges: readonly CleanExchange[];
  readonly usage: Usage;
  readonly cost: Cost;
}

export type CleanMessage =
  | { readonly role: 'system' | 'user' | 'assistant' | 'reasoning'; readonly text: string; readonly exchange: string }
  | {
      readonly role: 'tool';
      readonly name: string;
      readonly call_id: string | null;
      readonly input: string;
      /** Null when the session ended before the tool did. */
      readonly output: string | null;
      readonly exchange: string;
    }
  /** Of a call that was not recorded. */
  | {
      readonly role: 'tool_output';
      readonly name: string | null;
      readonly call_id: string | null;
      readonly output: string;
      readonly exchange: string;
    };

export interface CleanExchange {
  readonly id: string;
  readonly started_at: string;
  readonly duration_ms: number | null;
  readonly model: string | null;
  readonly status: number | null;
  readonly usage: Usage;
  readonly cost: Cost;
  readonly error: string | null;
}

/** @throws CoachError `session.missing` */
export function toCleanSession(store: SessionReader, sessionId: string): CleanSession {
  const { session, exchanges, conversation } = wholeSession(store, sessionId);
  return wellFormed({
    format: 1,
    session_id: session.id,
    agent: session.agent,
    title: session.title,
    repository: session.repository,
    started_at: session.startedAt,
    ended_at: session.endedAt,
    models: session.models,
    messages: toMessages(conversation),
    exchanges: exchanges.map(toCleanExchange),
    usage: session.usage,
    cost: session.cost,
  });
}

function toMessages(items: readonly ConversationItem[]): CleanMessage[] {
  const outputs = pairOutputs(items);
  const withCall = new Set(outputs.values());
  return items.flatMap((item): CleanMessage[] => {
    const { kind, text, exchangeId: exchange, callId } = item;
    switch (kind) {
      case 'toolCall':
        return [
          {
            role: 'tool',
            name: item.toolName ?? 'unknown',
            call_id: callId,
            input: text,
            output: outputs.get(item)?.text ?? null,
            exchange,
          },
        ];
      case 'toolOutput':
        if (withCall.has(item)) return [];
        return [{ role: 'tool_output', name: item.toolName, call_id: callId, output: text, exchange }];
      case 'other':
        return [];
      default:
        return [{ role: kind, text, exchange }];
    }
  });
}

function toCleanExchange(exchange: Exchange): CleanExchange {
  return {
    id: exchange.id,
    started_at: exchange.startedAt,
    duration_ms: exchange.durationMs,
    model: exchange.model,
    status: exchange.status,
    usage: exchange.usage,
    cost: exchange.cost,
    error: exchange.error,
  };
}

import type { ConversationItem, Exchange, SessionSummary } from '../../../protocol/sessions.ts';
import { addCost, addUsage, noCost, noUsage, type Usage } from '../../../protocol/usage.ts';
import { toIso } from '../../base/clock.ts';
import { redact } from '../../base/redact/redact.ts';
import type { Utterance } from '../dialects/dialect.ts';
import { responses } from '../dialects/responses.ts';
import { parseJson } from '../json.ts';
import { isPrompt, toTitle } from '../sessions/conversationId.ts';
import { priceOf } from '../usage/prices.ts';
import { CodexLine, type Tokens } from './records.ts';

/** One session as Codex's own file tells it. Texts but the title are as in the file: not redacted yet. */
export interface CodexSession {
  readonly summary: SessionSummary;
  readonly exchanges: readonly Exchange[];
  readonly conversation: readonly ConversationItem[];
  /** As the program names itself to the model's API. */
  readonly userAgent: string;
  /** The commit that the working directory was at; null where Codex wrote none. */
  readonly startCommit: string | null;
}

/** A copied history is written at once; what the fork itself does comes later. */
const copyMs = 1000;

interface Turn {
  readonly items: (Utterance & Pick<ConversationItem, 'isCopied'>)[];
  startedMs: number;
  endedMs: number;
  answered: boolean;
  tokens: Tokens | null;
  model: string | null;
}

/**
 * Reads the lines of one file in order. One request to the model is what stands between two answers: its new items,
 * then the reply's, then its `token_usage_record`. A fork names the file that it continues, or (older versions) begins
 * with a copy of it: tokens of the copy are the parent's and don't count here.
 */
export class CodexSessionBuilder {
  readonly #id: string;
  readonly #clean: (text: string) => string;
  readonly #turns: Turn[] = [];
  #meta: (CodexLine & { type: 'session_meta' })['payload'] | null = null;
  /** Of the turn that goes on; null until that is told: a session can be resumed under another model. */
  #model: string | null = null;
  /** How many requests had their answer, or a part of it, before that turn. */
  #before = 0;
  #firstMs: number | null = null;
  #lastMs = 0;
  #copied = false;
  #records = false;
  #countedTotal = -1;
  #subscription = false;

  /** `id`: the thread, as in the file's name. `clean`: takes the secrets out of a text that is about to be cut. */
  constructor(id: string, clean: (text: string) => string = redact) {
    this.#id = id;
    this.#clean = clean;
  }

  /** Takes one line; one that is not known or not whole changes nothing. */
  line(text: string): void {
    const parsed = CodexLine.safeParse(parseJson(text));
    if (!parsed.success) return;
    const line = parsed.data;
    const atMs = Date.parse(line.timestamp);
    this.#firstMs ??= atMs;
    this.#lastMs = Math.max(this.#lastMs, atMs);
    switch (line.type) {
      case 'session_meta':
        if (line.payload.id === this.#id) this.#meta ??= line.payload;
        else this.#copied = true;
        break;
      case 'turn_context':
        this.#model = line.payload.model;
        break;
      case 'response_item':
        this.#item(line.payload, atMs);
        break;
      case 'token_usage_record':
        this.#records = true;
        if (line.payload.thread_id === this.#id) this.#usage(line.payload.usage, atMs);
        break;
      case 'event_msg':
        if (line.payload.type === 'task_started') {
          this.#model = null;
          this.#before = this.#turns.findLastIndex(turn => turn.answered) + 1;
        }
        if (line.payload.rate_limits?.plan_type) this.#subscription = true;
        this.#count(line.payload.info ?? null, atMs);
    }
  }

  #item(item: { type: string; role?: unknown }, atMs: number): void {
    const isReply = item.type === 'message' ? item.role === 'assistant' : !item.type.endsWith('_output');
    const turn = this.#turnFor(isReply, atMs);
    const isCopied = isReply && this.#isCopy(atMs);
    turn.items.push(...responses.asked({ input: [item] }).map(said => (isCopied ? { ...said, isCopied } : said)));
    if (isReply) turn.endedMs = atMs;
    else turn.startedMs = atMs;
    turn.answered ||= isReply && !isCopied;
    turn.model ??= isReply && !isCopied ? this.#model : null;
  }

  #isCopy(atMs: number): boolean {
    return this.#copied && atMs - (this.#firstMs ?? atMs) < copyMs;
  }

  /**
   * An item that is no reply begins the next request, unless the one before has no answer yet. An answer that broke off
   * with its turn does not go on in the next one.
   */
  #turnFor(isReply: boolean, atMs: number): Turn {
    const last = this.#turns.at(-1);
    const isOpen =
      last !== undefined && (!last.answered || (isReply && this.#awaitsTokens(last, this.#turns.length - 1)));
    if (isOpen) return last;
    const turn: Turn = {
      items: [],
      startedMs: atMs,
      endedMs: atMs,
      answered: false,
      tokens: null,
      model: null,
    };
    this.#turns.push(turn);
    return turn;
  }

  #awaitsTokens(turn: Turn, index: number): boolean {
    return turn.answered && turn.tokens === null && index >= this.#before;
  }

  #usage(tokens: Tokens, atMs: number): void {
    const turn = this.#turns.findLast((each, index) => this.#awaitsTokens(each, index)) ?? this.#turnFor(true, atMs);
    turn.tokens = tokens;
    turn.model ??= this.#model;
    turn.answered = true;
    turn.endedMs = Math.max(turn.endedMs, atMs);
  }

  /** `token_count` is repeated at will: only a grown total is another request. */
  #count(info: { total_token_usage: Tokens; last_token_usage: Tokens } | null, atMs: number): void {
    if (info === null || this.#records) return;
    const total = info.total_token_usage.input_tokens + info.total_token_usage.output_tokens;
    if (total === this.#countedTotal) return;
    this.#countedTotal = total;
    if (!this.#isCopy(atMs)) this.#usage(info.last_token_usage, atMs);
  }

  finish(): CodexSession {
    const exchanges = this.#turns.filter(turn => turn.answered).map((turn, index) => this.#exchange(turn, index));
    const instructions = this.#meta?.base_instructions?.text;
    // What was said last may not have been sent any more.
    const last = Math.max(0, exchanges.length - 1);
    const conversation = this.#turns.flatMap((turn, index) =>
      turn.items.map(item => ({ exchangeId: this.#exchangeId(Math.min(index, last)), ...item })),
    );
    const system = { exchangeId: this.#exchangeId(0), kind: 'system', toolName: null, callId: null } as const;
    return {
      summary: this.#summary(exchanges, conversation),
      exchanges,
      conversation: [...(instructions === undefined ? [] : [{ ...system, text: instructions }]), ...conversation],
      userAgent: `${this.#meta?.originator ?? 'codex'}/${this.#meta?.cli_version ?? 'unknown'}`,
      startCommit: this.#meta?.git?.commit_hash ?? null,
    };
  }

  #summary(exchanges: readonly Exchange[], conversation: readonly ConversationItem[]): SessionSummary {
    const prompt = conversation.find(item => item.kind === 'user' && isPrompt(item.text));
    return {
      id: this.#id,
      agent: 'codex',
      title: prompt === undefined ? 'Untitled session' : toTitle(this.#clean(prompt.text)),
      startedAt: toIso(this.#firstMs ?? 0),
      endedAt: toIso(this.#lastMs),
      exchanges: exchanges.length,
      models: [...new Set(exchanges.flatMap(exchange => exchange.model ?? []))],
      usage: exchanges.map(exchange => exchange.usage).reduce(addUsage, noUsage),
      cost: exchanges.map(exchange => exchange.cost).reduce(addCost, noCost),
      repository: this.#meta?.cwd ?? null,
      source: 'codexFile',
    };
  }

  #exchangeId(index: number): string {
    return `${this.#id}#${index + 1}`;
  }

  #exchange(turn: Turn, index: number): Exchange {
    const usage = turn.tokens === null ? noUsage : toUsage(turn.tokens);
    const provider = this.#meta?.model_provider ?? 'unknown';
    const host = provider === 'openai' ? 'api.openai.com' : provider;
    return {
      id: this.#exchangeId(index),
      sessionId: this.#id,
      startedAt: toIso(turn.startedMs),
      durationMs: Math.max(0, turn.endedMs - turn.startedMs),
      timeToFirstByteMs: null,
      attempt: 1,
      method: 'POST',
      url: '',
      upstreamHost: host,
      status: null,
      dialect: 'responses',
      transport: 'other',
      model: turn.model,
      usage,
      cost: priceOf({
        usage,
        cacheWriteTokens: turn.tokens?.cache_write_input_tokens ?? null,
        model: turn.model,
        host,
        atMs: turn.startedMs,
        replay: false,
        subscription: this.#subscription,
      }).cost,
      error: null,
    };
  }
}

function toUsage(tokens: Tokens): Usage {
  return {
    inputTokens: tokens.input_tokens,
    cachedInputTokens: tokens.cached_input_tokens ?? null,
    outputTokens: tokens.output_tokens,
    reasoningTokens: tokens.reasoning_output_tokens ?? null,
  };
}

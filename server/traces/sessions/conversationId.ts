import { redact } from '../../base/redact/redact.ts';
import { isObject, type JsonObject, objectAt, parseJson, stringAt } from '../json.ts';
import { type HttpHead, headerOf } from '../wire/httpHead.ts';
import { beginningOf } from './beginning.ts';

/** What a request tells about the conversation it belongs to. */
export interface ConversationFacts {
  /** The agent's own id of the conversation; null when it gives none. */
  readonly id: string | null;
  readonly repository: string | null;
  /** What the agent's program asks by itself: a title for another conversation. Null for what a person asks. */
  readonly purpose: 'title' | null;
  readonly userAgent: string | null;
  readonly clientRequestId: string | null;
  readonly turnId: string | null;
  /** Retries that the agent's client library has counted, 0 for a first request. */
  readonly retryCount: number | null;
}

/**
 * Reads the facts from where agents put them: Codex in `thread-id`/`session-id` headers, in `x-codex-turn-metadata` and in
 * the body's `client_metadata`; Claude Code in `metadata.user_id`, opencode in `x-session-id` or `x-opencode-session`, Qwen
 * Code in `metadata.sessionId`, Gemini CLI by login in the request that its own wraps. What `clean` would change is no id:
 * ids are stored as they are.
 */
export function conversationFacts(
  head: HttpHead,
  request: unknown,
  clean: (text: string) => string = redact,
): ConversationFacts {
  const clientMetadata = objectAt(request, 'client_metadata');
  // Over a WebSocket the head is that of the upgrade, the message has the turn's own.
  const turn =
    asObject(stringAt(clientMetadata, 'x-codex-turn-metadata')) ?? asObject(headerOf(head, 'x-codex-turn-metadata'));
  const candidates = [
    stringAt(turn, 'thread_id'),
    headerOf(head, 'thread-id'),
    headerOf(head, 'session-id'),
    headerOf(head, 'session_id'),
    stringAt(clientMetadata, 'thread_id'),
    headerOf(head, 'x-claude-code-session-id'),
    headerOf(head, 'x-session-id'),
    headerOf(head, 'x-opencode-session'),
    claudeSession(stringAt(objectAt(request, 'metadata'), 'user_id')),
    stringAt(objectAt(request, 'metadata'), 'sessionId'),
    stringAt(request, 'prompt_cache_key'),
    stringAt(objectAt(request, 'request'), 'session_id'),
  ];
  const retries = headerOf(head, 'x-stainless-retry-count');
  return {
    id: candidates.find((id): id is string => isUsableId(id) && clean(id) === id) ?? null,
    repository: workingDirectory(request) ?? Object.keys(objectAt(turn, 'workspaces') ?? {})[0] ?? null,
    purpose: stringAt(turn, 'thread_source') === 'thread_title' ? 'title' : null,
    userAgent: headerOf(head, 'user-agent'),
    clientRequestId: headerOf(head, 'x-client-request-id'),
    turnId: stringAt(turn, 'turn_id') || null,
    retryCount: /^\d{1,3}$/.test(retries ?? '') ? Number(retries) : null,
  };
}

/** The commit that Codex names for the one workspace of a turn; null when it names none, or several. */
export function startCommitIn(request: unknown): string | null {
  const turn = asObject(stringAt(objectAt(request, 'client_metadata'), 'x-codex-turn-metadata'));
  const [workspace, ...others] = Object.values(objectAt(turn, 'workspaces') ?? {});
  const commit = others.length > 0 ? null : stringAt(workspace, 'latest_git_commit_hash');
  return commit !== null && /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}

/**
 * The working directory that Codex writes into its `environment_context` message, in any string of a request.
 * The last one counts: a later message corrects an earlier one.
 */
export function workingDirectory(request: unknown): string | null {
  let found: string | null = null;
  const look = (value: unknown): void => {
    if (typeof value === 'string') {
      if (value.includes('<environment_context>')) found = /<cwd>([^<]+)<\/cwd>/.exec(value)?.[1] ?? found;
    } else if (Array.isArray(value)) value.forEach(look);
    else if (isObject(value)) look(value['content'] ?? value['text']);
  };
  if (isObject(request)) look(request['input']);
  return found;
}

/** Tags at the beginning of messages that the agent's program writes in the user's name. */
const tagOfTheProgram =
  /^\s*<(environment_context|user_instructions|permissions|skills|apps|plugins|recommended|subagent|turn_aborted|system-reminder|command-|local-command|collaboration_mode|session_context>|task-notification>|bash-)/;

/** Words at the beginning of such messages: where it works, what became of a turn, what image it attached. */
const wordsOfTheProgram =
  /^\s*(# AGENTS\.md|Caveat:|This is the (Qwen Code|Gemini CLI)\. We are setting up|\[Request interrupted by user|\[SUGGESTION MODE:|This session is being continued from |quota\s*$|\[image\]\s*$|\[Image: source: )/;

/** The same of requests that it makes by itself, for a summary of the conversation or for notes on it. */
const tasksOfTheProgram =
  /^\s*(CRITICAL: Respond with TEXT ONLY\.|Here is the conversation so far:\n\n<conversation>|Generate a new <state_snapshot>|Critically evaluate the <state_snapshot>|First, reason in your scratchpad\. Then, generate the |Managed memory directory: )/;

/** As Claude Code, opencode and Qwen Code begin a request for the title of a conversation, which they repeat in it. */
const forTitle = /^\s*(?:<session>|Generate a title for this conversation:|Conversation so far:\n)/;

/** Whether this user message asks for a title. */
export function asksForTitle(text: string): boolean {
  return forTitle.test(text);
}

/** Whether a person wrote this user message. */
export function isPrompt(text: string): boolean {
  const isOfTheProgram = [tagOfTheProgram, wordsOfTheProgram, tasksOfTheProgram, forTitle].some(words =>
    words.test(text),
  );
  return text.trim() !== '' && !isOfTheProgram;
}

/** First line of a prompt, at most 120 characters. */
export function toTitle(prompt: string): string {
  const line = prompt.trim().split(/\r?\n/)[0] ?? '';
  return line.length <= 120 ? line : `${beginningOf(line, 119)}…`;
}

/** `user_<hash>_account_<id>_session_<uuid>`, or in newer versions JSON with `session_id`. */
function claudeSession(userId: string | null): string | null {
  if (userId === null) return null;
  return stringAt(asObject(userId), 'session_id') ?? /session_([0-9a-f-]{36})$/.exec(userId)?.[1] ?? null;
}

function asObject(text: string | null): JsonObject | null {
  const value = text === null ? null : parseJson(text);
  return isObject(value) ? value : null;
}

function isUsableId(id: string | null): id is string {
  return id !== null && /^[\w.:@-]{1,128}$/.test(id);
}

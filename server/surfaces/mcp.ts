import { resolve } from 'node:path';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { type Api, methodOf, type RequestSpec, requestsOf } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { CoachError } from '../../protocol/errors.ts';
import type { Log } from '../base/log.ts';
import type { KnownValues } from '../base/redact/knownValues.ts';
import { version } from '../base/version.ts';
import { type ParameterWords, parameterFaults } from './parameterFaults.ts';
import { shortened } from './shortened.ts';
import { type ParameterSchema, strictSchema, unknownNames } from './strictParameters.ts';

/** Characters of an answer: a model would pay for more without reading it, and clients cut it anywhere. */
const maxAnswerLength = 100_000;

interface Tool {
  readonly name: string;
  readonly method: string;
  readonly spec: RequestSpec;
  readonly schema: ParameterSchema;
  /** Where a repository is needed; elsewhere it only narrows down what is answered. */
  readonly needsRepository: boolean;
  readonly takesSession: boolean;
}

export interface McpDeps {
  readonly channel: Pick<Channel, 'request'>;
  /** Where paths start, and a needed `repository` that is missing: agents start their MCP servers where they work. */
  readonly directory: string;
  readonly log: Log;
  /** What the log hides. */
  readonly known: KnownValues;
}

/**
 * Serves what the apis expose to MCP over standard input and output, forwarding to the channel. Ends with its input, or
 * by `signal`.
 */
export async function serveMcp(apis: readonly Api[], deps: McpDeps, signal: AbortSignal): Promise<void> {
  const server = mcpServer(apis, deps);
  const closed = Promise.withResolvers<void>();
  server.onclose = closed.resolve;
  await server.connect(new StdioServerTransport());
  const end = () => void server.close();
  process.stdin.once('end', end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await closed.promise;
}

/** The same before it is connected. */
export function mcpServer(apis: readonly Api[], deps: McpDeps): Server {
  const tools = toolsOf(apis);
  const server = new Server({ name: 'codex-coach', version }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: tools.map(tool => describe(tool, deps.directory)),
  }));
  server.setRequestHandler(CallToolRequestSchema, async (call, extra) => {
    const tool = tools.find(candidate => candidate.name === call.params.name);
    if (tool === undefined) return failure(`No tool ${call.params.name}.`);
    const sessionId = conversationOf(call.params._meta);
    return callTool(tool, call.params.arguments ?? {}, sessionId, deps, extra.signal);
  });
  return server;
}

async function callTool(
  tool: Tool,
  given: Readonly<Record<string, unknown>>,
  sessionId: string | null,
  { channel, directory, log, known }: McpDeps,
  signal: AbortSignal,
) {
  const refused = (reason: string) => {
    log.warn('Tool refused.', { tool: tool.name, reason });
    return failure(reason);
  };
  const unknown = unknownNames(tool.schema, given);
  if (unknown !== null) return refused(`${tool.name}: ${unknown}`);
  const params: Record<string, unknown> = { ...given };
  if (tool.needsRepository) params['repository'] ??= directory;
  if (typeof params['repository'] === 'string') params['repository'] = resolve(directory, params['repository']);
  if (tool.takesSession && sessionId !== null) params['preferredSession'] ??= sessionId;
  const faults = parameterFaults(tool.spec.params, params, parameterWords);
  if (faults.length > 0) return refused(`${tool.name}: ${faults.join(' ')}`);
  log.info('Tool called.', { tool: tool.name, params: withoutKeys(params, known), sessionId });
  try {
    const { text, note } = shortened(await channel.request(tool.method, params, signal), maxAnswerLength);
    const fewer = note !== null && tool.schema.properties?.['limit'] !== undefined ? ' Ask for fewer with limit.' : '';
    const texts = note === null ? [text] : [text, `${note}${fewer}`];
    return { content: texts.map(each => ({ type: 'text' as const, text: each })) };
  } catch (error) {
    return refused(words(error));
  }
}

/** Texts are not repeated: one may be a key, and this is logged. */
const parameterWords: ParameterWords = {
  nameOf: path => path.join('.'),
  shown: given => (typeof given === 'number' || typeof given === 'boolean' ? String(given) : null),
  exampleOf: (_name, value) => (value.includes(' ') ? null : value),
};

/** As it may be logged: of keys their names. From now on their values are hidden wherever they stand. */
function withoutKeys(params: Readonly<Record<string, unknown>>, known: KnownValues): object {
  const { keys, ...others } = params;
  if (keys === undefined) return params;
  if (typeof keys !== 'object' || keys === null) return { ...others, keys: null };
  for (const value of Object.values(keys)) if (typeof value === 'string') known.add(value);
  return { ...others, keys: Object.keys(keys) };
}

/** The tools that a list of apis offers, in declaration order. */
export function toolsOf(apis: readonly Api[]): Tool[] {
  return apis.flatMap(api =>
    requestsOf(api)
      .filter(([, spec]) => spec.expose.includes('mcp'))
      .map(([name, spec]) => {
        const schema = strictSchema(spec.params);
        return {
          name: spec.tool ?? `${api.name}_${name}`,
          method: methodOf(api.name, name),
          spec,
          schema,
          needsRepository: schema.required?.includes('repository') ?? false,
          takesSession: schema.properties?.['preferredSession'] !== undefined,
        };
      }),
  );
}

function describe({ name, spec, schema, needsRepository }: Tool, directory: string) {
  const { repository, ...others } = schema.properties ?? {};
  const usual = needsRepository ? { default: directory } : {};
  const properties = repository === undefined ? others : { repository: { ...repository, ...usual }, ...others };
  const required = (schema.required ?? []).filter(each => each !== 'repository');
  return {
    name,
    description: spec.summary,
    inputSchema: { ...schema, type: 'object' as const, properties, required },
    annotations: { readOnlyHint: spec.readOnly, openWorldHint: false },
  };
}

/** Codex names its conversation in every call's `_meta`. */
function conversationOf(meta: Record<string, unknown> | undefined): string | null {
  const id = meta?.['threadId'] ?? meta?.['sessionId'];
  return typeof id === 'string' ? id : null;
}

function failure(text: string) {
  return { content: [{ type: 'text' as const, text }], isError: true };
}

function words(error: unknown): string {
  const rpc = error as { message?: string; data?: { hint?: string | null } };
  const hint = error instanceof CoachError ? error.hint : rpc.data?.hint;
  return hint ? `${rpc.message} ${hint}` : (rpc.message ?? String(error));
}

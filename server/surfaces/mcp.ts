import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import * as z from 'zod';
import { type Api, methodOf, type RequestSpec, requestsOf } from '../../protocol/api.ts';
import type { Channel } from '../../protocol/channel.ts';
import { CoachError } from '../../protocol/errors.ts';
import type { Log } from '../base/log.ts';
import { version } from '../base/version.ts';

interface Tool {
  readonly name: string;
  readonly method: string;
  readonly spec: RequestSpec;
  readonly takesRepository: boolean;
  readonly takesSession: boolean;
}

/**
 * Serves what the apis expose to MCP over standard input and output, forwarding to `channel`. A missing `repository`
 * is `directory`: agents start their MCP servers in the directory they work in. Ends with its input, or by `signal`.
 */
export async function serveMcp(
  apis: readonly Api[],
  channel: Pick<Channel, 'request'>,
  directory: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const tools = toolsOf(apis);
  const server = new Server({ name: 'codex-coach', version }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({ tools: tools.map(describe) }));
  server.setRequestHandler(CallToolRequestSchema, async (call, extra) => {
    const tool = tools.find(candidate => candidate.name === call.params.name);
    if (tool === undefined) return failure(`No tool ${call.params.name}.`);
    const params: Record<string, unknown> = { ...call.params.arguments };
    if (tool.takesRepository) params['repository'] ??= directory;
    const sessionId = conversationOf(call.params._meta);
    if (tool.takesSession && sessionId !== null) params['preferredSession'] ??= sessionId;
    log.info('Tool called.', { tool: tool.name, params, sessionId });
    try {
      const value = await channel.request(tool.method, params, extra.signal);
      return { content: [{ type: 'text' as const, text: JSON.stringify(value, null, 2) }] };
    } catch (error) {
      log.warn('Tool refused.', { tool: tool.name, reason: words(error) });
      return failure(words(error));
    }
  });
  const closed = new Promise<void>(resolve => {
    server.onclose = () => resolve();
  });
  await server.connect(new StdioServerTransport());
  const end = () => void server.close();
  process.stdin.once('end', end);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  await closed;
}

/** The tools that a list of apis offers, in declaration order. */
export function toolsOf(apis: readonly Api[]): Tool[] {
  return apis.flatMap(api =>
    requestsOf(api)
      .filter(([, spec]) => spec.expose.includes('mcp'))
      .map(([name, spec]) => {
        const keys = Object.keys(spec.params instanceof z.ZodObject ? spec.params.shape : {});
        return {
          name: spec.tool ?? `${api.name}_${name}`,
          method: methodOf(api.name, name),
          spec,
          takesRepository: keys.includes('repository'),
          takesSession: keys.includes('preferredSession'),
        };
      }),
  );
}

function describe(tool: Tool) {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.spec.params, { io: 'input', unrepresentable: 'any' });
  const required = (schema.required ?? []).filter(name => !(tool.takesRepository && name === 'repository'));
  return {
    name: tool.name,
    description: tool.spec.summary,
    inputSchema: { ...schema, type: 'object' as const, required },
    annotations: { readOnlyHint: tool.spec.readOnly, openWorldHint: false },
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

/** How an agent starts our MCP server: works from any directory, needs nothing of the agent's environment. */
export interface McpCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

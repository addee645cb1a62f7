/** The part of the SDK's server that takes and gives JSON Schema as it is. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';

export type Server = McpServer['server'];

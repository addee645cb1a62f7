/** The server of the protocol: what Coppice offers, over whatever connects it to a client. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Server } from './core';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListToolsRequestSchema,
  RootsListChangedNotificationSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { join } from 'node:path';
import { AGENT_TOOLS } from '../agents';
import { roughBudget } from '../agents/answer';
import type { JobDesk } from '../agents/desk';
import { guardedPaths } from '../agents/paths';
import type { AgentContext } from '../agents/tool';
import { cacheFolder } from '../engine/files/cache';
import type { ReportAssets } from '../engine/records/report';
import type { MachineSpeeds } from '../estimates/machine';
import { agreed } from './confirm';
import { logTo } from './log';
import { watchedDesk } from './progress';
import { PROMPTS, promptOf } from './prompts';
import { Roots } from './roots';
import { INSTRUCTIONS } from './texts';
import { called, listed } from './tools';

/** Tokens of an answer: a model reads all of it, and again with every turn. */
const TOKENS = 5000;

export interface ServerParts {
  /** Folders that the command line opens, with links followed; see `ownRoots`. */
  readonly own: readonly string[];
  /** How long a call waits for its job before it answers with an id. */
  readonly waitMs: number;
  readonly version: string;
  /** What draws the charts of reports. */
  readonly assets: () => Promise<ReportAssets>;
}

/** @param deskFor makes the desk, which may log through the server, and the speeds of what runs its jobs */
export function coppiceServer(
  parts: ServerParts,
  deskFor: (server: Server) => { readonly desk: JobDesk; readonly speeds: MachineSpeeds },
): Server {
  const { own, waitMs, version, assets } = parts;
  // Its inner server takes JSON Schema as it is.
  const { server } = new McpServer(
    { name: 'coppice', title: 'Coppice', version },
    { capabilities: { tools: {}, prompts: {}, logging: {} }, instructions: INSTRUCTIONS },
  );
  const log = logTo(server);
  const { desk, speeds } = deskFor(server);
  const roots = new Roots(own, process.cwd(), async () => {
    if (!server.getClientCapabilities()?.roots) return undefined;
    return (await server.listRoots()).roots.map(({ uri }) => uri);
  });
  server.onerror = (error) => log.warn(`a message was not understood: ${error.message}`);
  server.setNotificationHandler(RootsListChangedNotificationSchema, () => roots.forget());
  server.setRequestHandler(ListPromptsRequestSchema, () => PROMPTS);
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => promptOf(params));
  server.setRequestHandler(ListToolsRequestSchema, () => listed(AGENT_TOOLS));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, call) =>
    called(AGENT_TOOLS, params, {
      context: async () =>
        contextOf(await roots.folders(), { desk: reporting(desk, call), speeds, waitMs, assets, signal: call.signal }),
      agreed: (question) => agreed(server, question, call.signal),
      bug: (error) => log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    }),
  );
  return server;
}

async function contextOf(
  roots: readonly string[],
  call: Pick<AgentContext, 'desk' | 'speeds' | 'waitMs' | 'assets' | 'signal'>,
): Promise<AgentContext> {
  const own = join(await cacheFolder(), 'runs'); // a root may be a checkpoint, where nothing is written
  return {
    paths: guardedPaths(roots),
    ...call,
    budget: roughBudget(TOKENS),
    records: [...roots.map((root) => join(root, '.coppice', 'runs')), own],
  };
}

/** The desk, which tells the progress of jobs if the client asked for it. */
function reporting(
  desk: JobDesk,
  { _meta, sendNotification }: RequestHandlerExtra<ServerRequest, ServerNotification>,
): JobDesk {
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return desk;
  return watchedDesk(desk, (report) => {
    const told = sendNotification({ method: 'notifications/progress', params: { progressToken, ...report } });
    told.catch(() => undefined); // the call has ended
  });
}

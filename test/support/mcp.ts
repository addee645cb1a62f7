/** A client of the SDK with the built `coppice mcp` behind it. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  type ClientCapabilities,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { pathToFileURL } from 'node:url';
import { builtProgram } from './built-cli';
import { temporaryFolder } from './temporary';

export interface McpSetting {
  /** Arguments after `coppice mcp`. */
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** Folders or URIs that the client names as its roots; undefined for a client that names none. */
  readonly roots?: () => readonly string[];
  /** The answer to every question; undefined for a client that shows none. */
  readonly answer?: 'accept' | 'decline';
}

export interface McpSession {
  readonly client: Client;
  readonly pid: number;
  /** Calls a tool. @returns its text, and whether it is an error */
  call(name: string, input?: object, options?: Parameters<Client['callTool']>[2]): Promise<Answer>;
  /** Messages of the log. */
  readonly log: readonly string[];
  /** Questions to the user. */
  readonly questions: readonly string[];
  /** What came over stdout and is no message, and other faults of the connection. */
  readonly faults: readonly string[];
  readonly stderr: () => string;
  close(): Promise<void>;
}

export interface Answer {
  readonly text: string;
  readonly isError: boolean;
}

const open: McpSession[] = [];

/** Ends every session; call it from a hook. */
export async function endSessions(): Promise<void> {
  await Promise.all(open.splice(0).map((session) => session.close()));
}

export async function startMcp(setting: McpSetting = {}): Promise<McpSession> {
  const { file, env } = builtProgram();
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [file, 'mcp', ...(setting.args ?? [])],
    cwd: setting.cwd ?? temporaryFolder(),
    env: { ...env, COPPICE_CACHE: temporaryFolder() },
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
  const client = new Client({ name: 'test', version: '1' }, { capabilities: capabilitiesOf(setting) });
  const [faults, log, questions]: string[][] = [[], [], []];
  client.onerror = (error) => void faults.push(error.message);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void log.push(String(params.data)));
  answerRequests(client, setting, questions);
  await client.connect(transport);
  const session: McpSession = {
    client,
    pid: transport.pid!,
    async call(name, input = {}, options) {
      const { content, isError } = await client.callTool({ name, arguments: { ...input } }, undefined, options);
      return { text: (content as { text: string }[]).map(({ text }) => text).join('\n'), isError: isError === true };
    },
    ...{ log, questions, faults },
    stderr: () => stderr,
    close: () => client.close(),
  };
  open.push(session);
  return session;
}

const capabilitiesOf = ({ roots, answer }: McpSetting): ClientCapabilities => ({
  ...(roots && { roots: { listChanged: true } }),
  ...(answer && { elicitation: {} }),
});

function answerRequests(client: Client, { roots, answer }: McpSetting, questions: string[]): void {
  if (roots) {
    const uri = (root: string): string => (root.includes('://') ? root : pathToFileURL(root).href);
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots().map((root) => ({ uri: uri(root) })) }));
  }
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      questions.push(params.message);
      return { action: answer, ...(answer === 'accept' && { content: {} }) };
    });
  }
}

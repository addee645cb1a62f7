/**
 * Offers `coppice mcp` to VS Code as an MCP server, for agents that know no language-model tools. Off by default: the
 * chat has these tools already, and would see each of them twice.
 */
import * as vscode from 'vscode';
import type { Config } from '../state/config';
import { optionWords } from '../jobs/argv';
import { compute } from '../jobs/options/compute';

/** As package.json contributes it. */
const PROVIDER = 'coppice';

/** VS Code has it since 1.101; Coppice runs in 1.100 too. */
interface McpApi {
  readonly lm: {
    readonly registerMcpServerDefinitionProvider?: (id: string, provider: McpProvider) => vscode.Disposable;
  };
  readonly McpStdioServerDefinition?: new (
    label: string,
    command: string,
    args: string[],
    env: Record<string, string>,
    version: string,
  ) => McpServerDefinition;
}

/** A program that VS Code starts and talks to over stdin and stdout. */
export interface McpServerDefinition {
  readonly label: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | number | null>>;
  readonly version?: string;
}

interface McpProvider {
  readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
  provideMcpServerDefinitions(): McpServerDefinition[];
}

/** What the server is started with. */
export interface McpServerParts {
  /** Path of dist/cli.cjs. */
  readonly program: string;
  readonly version: string;
  readonly config: Config;
}

/** Registers the server, in a VS Code that takes one. */
export function registerMcpServer(parts: McpServerParts): vscode.Disposable {
  const { lm } = vscode as unknown as McpApi;
  if (!lm.registerMcpServerDefinitionProvider) return vscode.Disposable.from();
  const changed = new vscode.EventEmitter<void>();
  const tell = (): void => changed.fire();
  return vscode.Disposable.from(
    changed,
    parts.config.onChange([], tell),
    vscode.workspace.onDidChangeWorkspaceFolders(tell),
    vscode.workspace.onDidGrantWorkspaceTrust(tell),
    lm.registerMcpServerDefinitionProvider(PROVIDER, {
      onDidChangeMcpServerDefinitions: changed.event,
      provideMcpServerDefinitions: () => mcpServers(parts),
    }),
  );
}

/**
 * The server, for a trusted workspace with folders and with the setting; else none. Without a folder it would have
 * nothing to work on.
 */
export function mcpServers({ program, version, config }: McpServerParts): McpServerDefinition[] {
  const { McpStdioServerDefinition: Definition } = vscode as unknown as McpApi;
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  if (!Definition || !config.mcpServer || !vscode.workspace.isTrusted || folders.length === 0) return [];
  const roots = folders.flatMap(({ uri }) => ['--root', uri.fsPath]);
  const words = [program, 'mcp', ...roots, ...optionWords(compute, config.compute)];
  // The editor's own Node, as for the sidecar: nothing else has to be installed.
  return [new Definition('Coppice', process.execPath, words, { ELECTRON_RUN_AS_NODE: '1' }, version)];
}
